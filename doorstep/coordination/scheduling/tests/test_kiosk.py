"""The kiosk and the telephone desk: who is let in, what is shown, what is done, and that the person is forgotten."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Facility, Place, Schedule, Slot, VisitKind, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, told
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents.tests.factories import make_resident, make_staff

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.INDICATORS)


def facts_of(clinic: Clinic) -> dict[str, str]:
    """What 周桂兰 knows of herself."""
    with acting(SYSTEM):
        clinic.resident.refresh_from_db()
        return {
            "number": clinic.resident.national_id,
            "name": clinic.resident.name,
            "phone_last_four": clinic.resident.phone[-4:],
        }


def kiosk(client: Client, clinic: Clinic) -> None:
    """A machine of the lead hospital."""
    client.force_login(make_staff(name="大厅自助机", organization_id=clinic.world.lead, role="kiosk"))


def test_kiosk_books_checks_in_and_prints(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=1), open=1)
    kiosk(client, clinic)
    assert client.get("/").headers["Location"] == "/slots/kiosk/"
    assert client.get("/slots/kiosk/mine/").status_code == 302
    assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert "周*兰" in page
    assert "周桂兰" not in page
    assert "心血管内科" in client.get("/slots/kiosk/find/").content.decode()
    assert str(slot.key) in client.get(f"/slots/kiosk/find/{clinic.schedule.department.key}/").content.decode()
    assert client.get(f"/slots/kiosk/book/{slot.key}/").status_code == 200
    done = client.post(f"/slots/kiosk/book/{slot.key}/").headers["Location"]
    assert "预约成功" in client.get(done).content.decode()
    with acting(SYSTEM):
        booking = Booking.objects.get()
    assert (booking.channel, booking.resident_id) == ("kiosk", clinic.resident.pk)
    if timezone.localdate(slot.starts_at) == timezone.localdate():
        assert f"/slots/kiosk/check-in/{booking.key}/" in client.get("/slots/kiosk/mine/").content.decode()
        ticket = client.post(f"/slots/kiosk/check-in/{booking.key}/").headers["Location"]
        shown = client.get(ticket).content.decode()
        assert "您的号" in shown
        # The paper comes out of the page itself: a tab of its own would stay on the glass for the next one.
        assert "data-print" in shown
        assert 'data-leave-after-print="/slots/kiosk/"' in shown
        assert "_blank" not in shown
        paper = shown[shown.index('class="ds-slip"') :]
        assert "周*兰" in paper
        assert "王主任" in paper
        assert "周桂兰" not in shown
        slip = client.get(f"/slots/kiosk/tickets/{booking.key}.pdf")
        assert slip.content.startswith(b"%PDF")
    assert client.post(f"/slots/kiosk/book/{slot.key}/").status_code == 422


def test_kiosk_says_which_machine_and_what_kind_of_visit(client: Client) -> None:
    clinic = make_clinic()
    with acting(SYSTEM):
        schedule, department = clinic.schedule, clinic.schedule.department
        machine = Facility.objects.create(
            organization_id=clinic.world.lead, department=department, kind="machine", name="彩超 2 号机"
        )
        kind = VisitKind.objects.create(department=department, name="腹部彩超", minutes=15)
        Schedule.objects.filter(pk=schedule.pk).update(practitioner=None, facility=machine, service="exam")
    slot = make_slot(clinic, open=1)
    with acting(SYSTEM):
        Slot.objects.filter(pk=slot.pk).update(kind=kind)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    asked = client.get(f"/slots/kiosk/book/{slot.key}/").content.decode()
    assert "腹部彩超（15 分钟） · 彩超 2 号机" in asked
    assert "医生" not in asked
    done = client.get(client.post(f"/slots/kiosk/book/{slot.key}/").headers["Location"]).content.decode()
    assert "彩超 2 号机" in done
    assert "医生" not in done


def test_kiosk_takes_what_a_scanner_types(client: Client) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    facts = facts_of(clinic)
    scanned = {"number": f"{facts['name']},{facts['number']}", "phone_last_four": facts["phone_last_four"]}
    assert client.post("/slots/kiosk/", scanned).status_code == 302
    assert client.post("/slots/kiosk/", {"number": f"{facts['number']}#000000"}).status_code == 422
    assert client.post("/slots/kiosk/", {"number": facts["number"]}).status_code == 422
    assert client.post("/slots/kiosk/", {"number": "42"}).status_code == 422


def test_kiosk_forgets_after_a_minute_and_opens_nothing_else(client: Client) -> None:
    clinic = make_clinic()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        kiosk(client, clinic)
        assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302
        clock.shift(59)
        assert client.get("/slots/kiosk/mine/").status_code == 200
        clock.shift(61)
        assert client.get("/slots/kiosk/mine/").status_code == 302
        assert client.get("/slots/").status_code == 403
        assert client.get("/residents/").status_code in (403, 404)


def test_kiosk_changes_and_cancels_the_own_booking(client: Client) -> None:
    clinic = make_clinic()
    first, second = (make_slot(clinic, starts_at=timezone.now() + timedelta(days=day), open=1) for day in (1, 2))
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    client.post(f"/slots/kiosk/book/{first.key}/")
    with acting(SYSTEM):
        old = Booking.objects.get()
    page = client.get("/slots/kiosk/mine/").content.decode()
    assert f"/slots/kiosk/bookings/{old.key}/cancel/" in page
    department = clinic.schedule.department.key
    times = client.get(f"/slots/kiosk/find/{department}/?change={old.key}").content.decode()
    assert f"/slots/kiosk/book/{second.key}/?change={old.key}" in times
    assert "原来的号自动退回" in times
    assert "确认改约" in client.get(f"/slots/kiosk/book/{second.key}/?change={old.key}").content.decode()
    # A time that has gone meanwhile leaves the old booking as it was.
    assert client.post(f"/slots/kiosk/book/{first.key}/", {"change": str(old.key)}).status_code == 422
    assert client.post(f"/slots/kiosk/book/{second.key}/", {"change": str(old.key)}).status_code == 302
    with acting(SYSTEM):
        old.refresh_from_db()
        new = Booking.objects.exclude(pk=old.pk).get()
        assert (old.state, new.state, new.changed_from_id) == ("cancelled", "booked", old.pk)
    assert "确认取消" in client.get(f"/slots/kiosk/bookings/{new.key}/cancel/").content.decode()
    done = client.post(f"/slots/kiosk/bookings/{new.key}/cancel/").headers["Location"]
    assert "预约已取消" in client.get(done).content.decode()
    assert client.post(f"/slots/kiosk/bookings/{new.key}/cancel/").status_code == 422
    with acting(SYSTEM):
        assert Booking.objects.get(pk=new.pk).state == "cancelled"
        assert not Place.objects.exclude(state="free").exists()
    assert [kind for kind, _params in told(clinic.resident.pk)][-3:] == [
        "booking-made",
        "booking-made",
        "booking-given-back",
    ]


def test_kiosk_touches_nobody_elses_booking_and_none_of_another_house(client: Client) -> None:
    clinic = make_clinic()
    slots = [make_slot(clinic, starts_at=timezone.now() + timedelta(days=day), open=1, referral=1) for day in (1, 2)]
    other = make_resident(
        organization_id=clinic.world.village, name="吴大山", number="", phone="", panel_of=(clinic.world.village,)
    )
    theirs = book_for(clinic, slots[0], other)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    cancel = f"/slots/kiosk/bookings/{theirs.key}/cancel/"
    assert (client.get(cancel).status_code, client.post(cancel).status_code) == (404, 404)
    assert client.post(f"/slots/kiosk/book/{slots[1].key}/", {"change": str(theirs.key)}).status_code == 404
    own = book_for(clinic, slots[1], clinic.resident)
    client.force_login(make_staff(name="别院自助机", organization_id=clinic.world.township, role="kiosk"))
    client.post("/slots/kiosk/", facts_of(clinic))
    assert client.post(f"/slots/kiosk/bookings/{own.key}/cancel/").status_code == 404
    assert client.get(f"/slots/kiosk/find/{clinic.schedule.department.key}/?change={own.key}").status_code == 404
    with acting(SYSTEM):
        assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}


def test_nobody_escapes_the_no_show_rule_by_cancelling_afterwards(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(seconds=50), open=1)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    client.post(f"/slots/kiosk/book/{slot.key}/")
    with acting(SYSTEM):
        booking = Booking.objects.get()
    with time_machine.travel(slot.starts_at + timedelta(seconds=1)):
        assert f"{booking.key}/cancel/" not in client.get("/slots/kiosk/mine/").content.decode()
        late = client.post(f"/slots/kiosk/bookings/{booking.key}/cancel/")
        assert late.status_code == 422
        assert "已到就诊时间" in late.content.decode()


def test_kiosk_puts_on_the_waiting_list_where_nothing_is_free(client: Client) -> None:
    clinic = make_clinic()
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=1), referral=1)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    address = f"/slots/kiosk/find/{clinic.schedule.department.key}/"
    assert "登记候补" in client.get(address).content.decode()
    assert client.post(address + "wait/").status_code == 302
    with acting(SYSTEM):
        assert WaitingEntry.objects.get().channel == "kiosk"


def test_phone_desk_calls_back_before_it_acts(client: Client) -> None:
    clinic = make_clinic()
    first = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=1)
    second = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    client.force_login(make_staff(name="何静", organization_id=clinic.world.lead, role="clinic_desk"))
    assert "请报一下身份证号" in client.get("/slots/phone/").content.decode()
    facts = facts_of(clinic)
    assert client.post("/slots/phone/", {**facts, "phone_last_four": "0000"}).status_code == 422
    assert client.post("/slots/phone/", facts).status_code == 302
    assert "回拨号码" in client.get("/slots/phone/").content.decode()
    # Facts alone are not enough: somebody else may know them too.
    assert client.post(f"/slots/phone/book/{first.key}/").status_code == 404
    assert client.post("/slots/phone/verify/").status_code == 302
    page = client.get(f"/slots/phone/?department={clinic.schedule.department.key}").content.decode()
    assert 'data-shortcut="1"' in page
    assert "可以吗" in page
    said = client.post(f"/slots/phone/book/{first.key}/").headers["Location"]
    assert "已为您约好" in client.get(said).content.decode()
    made = re.findall("said=(.*)", said)[0]
    moved = client.post(f"/slots/phone/book/{second.key}/", {"change": made}).headers["Location"]
    new = re.findall("said=(.*)", moved)[0]
    assert new != made
    assert client.post(f"/slots/phone/bookings/{new}/cancel/").status_code == 302
    with acting(SYSTEM):
        assert set(Booking.objects.values_list("state", flat=True)) == {"cancelled"}
        kinds = list(
            apps.get_model("notices", "Notice")
            .objects.filter(resident_id=clinic.resident.pk)
            .values_list("kind", flat=True)
        )
        assert {"booking-made", "booking-given-back"} <= set(kinds)
        assert AuditEntry.objects.filter(action="caller.called-back").count() == 1
        assert not Place.objects.exclude(state="free").exists()
    assert client.post("/slots/phone/end/").status_code == 302
    assert "请报一下身份证号" in client.get("/slots/phone/").content.decode()


def test_picker_leads_to_the_waiting_list_with_what_was_asked(client: Client) -> None:
    clinic = make_clinic()
    client.force_login(User.objects.get(username="li"))
    page = client.get(
        f"/slots/picker/?organization={clinic.world.lead}&origin=referral&resident={clinic.resident.key}"
    ).content.decode()
    address = re.findall(r'href="(/slots/waiting/join/[^"]*)"', page)[0].replace("&amp;", "&")
    form = client.get(address).content.decode()
    last = (timezone.localdate() + timedelta(days=14)).isoformat()
    assert timezone.localdate().isoformat() in form
    assert "心血管内科" in form
    sent = client.post(address, {"first_day": timezone.localdate().isoformat(), "last_day": last})
    assert sent.status_code == 302
    with acting(SYSTEM):
        assert WaitingEntry.objects.get().origin == "referral"


def test_phone_desk_reaches_every_day_that_has_times(client: Client) -> None:
    clinic = make_clinic()
    nine = timezone.localtime(timezone.now() + timedelta(days=2)).replace(hour=9, minute=0)
    # More half hours than one list holds before the day that the caller wants.
    for minutes in range(0, 600, 30):
        make_slot(clinic, starts_at=nine + timedelta(minutes=minutes), open=1)
    monday = make_slot(clinic, starts_at=nine + timedelta(days=5), open=1)
    client.force_login(make_staff(name="何静", organization_id=clinic.world.lead, role="clinic_desk"))
    client.post("/slots/phone/", facts_of(clinic))
    client.post("/slots/phone/verify/")
    page = client.get(f"/slots/phone/?department={clinic.schedule.department.key}").content.decode()
    assert f"/slots/phone/book/{monday.key}/" not in page
    day = timezone.localdate(monday.starts_at).isoformat()
    address = next(found for found in re.findall(r'href="([^"]*)"', page) if f"day={day}" in found)
    asked = client.get(address.replace("&amp;", "&")).content.decode()
    assert f"/slots/phone/book/{monday.key}/" in asked
    # A day that is none shows the first.
    odd = client.get(f"/slots/phone/?department={clinic.schedule.department.key}&day=x")
    assert odd.status_code == 200


@pytest.mark.parametrize("text", ["xx", "XXG", "心血管", "王主任", "wzr", " xxg "])
def test_kiosk_finds_a_department_by_its_first_letters_its_name_or_its_doctor(client: Client, text: str) -> None:
    clinic = make_clinic()
    make_slot(clinic, open=1)
    kiosk(client, clinic)
    client.post("/slots/kiosk/", facts_of(clinic))
    card = f"/slots/kiosk/find/{clinic.schedule.department.key}/"
    page = client.get("/slots/kiosk/find/").content.decode()
    assert 'name="q"' in page
    assert 'data-key="X"' in page
    assert card in page
    assert card in client.get("/slots/kiosk/find/", {"q": text}).content.decode()
    nothing = client.get("/slots/kiosk/find/", {"q": "zzz"}).content.decode()
    assert card not in nothing
    assert "没有找到" in nothing
    assert 'href="/slots/kiosk/find/"' in nothing


def test_kiosk_asks_before_it_leaves_and_stays_for_whoever_answers(client: Client) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        client.post("/slots/kiosk/", facts_of(clinic))
        page = client.get("/slots/kiosk/mine/").content.decode()
        # A page that leaves by itself gives whoever is slow no way to stay; without scripts the machine forgets all the same.
        assert "http-equiv" not in re.sub(r"<noscript>.*?</noscript>", "", page, flags=re.S)
        assert "http-equiv" in page
        assert "data-stay" in page
        assert "还在办理吗" in page
        clock.shift(50)
        assert client.get("/slots/kiosk/stay/").status_code == 204
        clock.shift(50)
        assert client.get("/slots/kiosk/mine/").status_code == 200
        clock.shift(70)
        assert client.get("/slots/kiosk/stay/").status_code == 302
