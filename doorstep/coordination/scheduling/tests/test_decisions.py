"""A proposal for next month's division is taken, changed or refused with a reason; what was decided can be read and taken along."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.coordination.scheduling import quota_queries, waiting_actions
from doorstep.coordination.scheduling.models import Place, QuotaDecision, QuotaShare
from doorstep.coordination.scheduling.proposing import Use, propose_start
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user


def test_propose_start_gives_places_to_who_came_and_they_add_up() -> None:
    uses = [Use(1, 0, 0, 0, 0, 9, 0, 2.0), Use(2, 0, 0, 1, 0, 2, 1, None), Use(3, 0, 0, 0, 0, 0, 0, None)]
    lines = propose_start(uses, total=20)
    assert [line.unit for line in lines] == [1, 2]
    assert sum(line.places for line in lines) == 20
    assert lines[0].places > lines[1].places >= 1
    assert "起步份额" in lines[0].reason
    assert propose_start(uses[2:], total=20) == []
    assert propose_start(uses, total=1) == []


@pytest.mark.django_db
def test_division_is_proposed_refused_and_taken_and_the_file_says_what_the_page_says(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), community=6, referral=1)
    book_for(clinic, slot, clinic.resident)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
        path = f"/slots/quotas/{clinic.schedule.department.key}/community/"
        page = client.get(path).content.decode()
        assert "起步份额" in page
        assert "不采纳建议" in page
        since = (timezone.localdate() + timedelta(days=1)).isoformat()
        township = clinic.world.township
        without = client.post(path, {"act": "refuse", "since": since, f"weight-{township}": "4"})
        assert without.status_code == 422
        assert 'value="4"' in without.content.decode()
        assert client.post(path, {"act": "refuse", "since": since, "reason": "本月停诊多"}).status_code == 302
        assert not QuotaShare.objects.exists()
        assert client.post(path, {"since": since, f"weight-{township}": "4", "reason": "先试"}).status_code == 302
        assert [one.weight for one in QuotaShare.objects.all()] == [4]
        taken, refused = QuotaDecision.objects.order_by("-id")
        assert (refused.verdict, refused.reason, refused.decided_by_name) == ("refused", "本月停诊多", "周敏")
        assert taken.verdict in ("accepted", "changed")
        assert taken.lines[0]["decided"] == 4
        shown = client.get("/slots/quotas/").content.decode()
        for word in ("分配决定", "未采纳", "本月停诊多"):
            assert word in shown
        book = CalamineWorkbook.from_filelike(BytesIO(client.get("/slots/quotas/decisions.xlsx").content))
        rows = book.get_sheet_by_index(0).to_python()
        assert rows[0][:8] == ["决定时间", "科室", "类别", "起用日期", "决定", "说明", "经办", "机构"]
        assert {row[4] for row in rows[1:]} >= {"未采纳"}
        assert next(row[11] for row in rows[1:] if row[5] == "先试") == 4.0
        assert all(row[2] == "社区号" for row in rows[1:])


@pytest.mark.django_db
def test_a_proposal_looks_at_days_that_are_over_and_is_for_days_to_come(client: Client) -> None:
    clinic = make_clinic()
    township = clinic.world.township
    with acting(system_actor(Purpose.IMPORT)):
        QuotaShare.objects.create(
            department=clinic.schedule.department,
            quota="community",
            organization_id=township,
            weight=1,
            since=timezone.localdate(),
        )
    over = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), community=2)
    coming = make_slot(clinic, starts_at=timezone.now() + timedelta(days=6), community=9)
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.filter(slot__in=(over, coming)).update(given_organization_id=township, given_quota="community")
    path = f"/slots/quotas/{clinic.schedule.department.key}/community/"
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
        page = client.get(path, {"last": (timezone.localdate() + timedelta(days=30)).isoformat()}).content.decode()
        # The nine of the day after tomorrow are not unused yet.
        assert "上月给 2 个，用 0，爽约 0，未用放出 2" in page
        assert f'min="{(timezone.localdate() + timedelta(days=1)).isoformat()}"' in page
        for day in (timezone.localdate(), timezone.localdate() - timedelta(days=60)):
            for facts in ({"act": "refuse"}, {f"weight-{township}": "4"}):
                late = client.post(path, {"since": day.isoformat(), "reason": "停诊多", **facts})
                assert late.status_code == 422
                assert "新的分配从明天或以后生效" in late.content.decode()
        assert not QuotaDecision.objects.exists()


@pytest.mark.django_db
def test_what_was_decided_for_next_month_is_said_and_not_proposed_away(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), community=6, referral=1)
    book_for(clinic, slot, clinic.resident, "community")
    path = f"/slots/quotas/{clinic.schedule.department.key}/community/"
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
        since = (timezone.localdate() + timedelta(days=20)).isoformat()
        units = (clinic.world.township, clinic.world.other_township)
        sent = {
            "since": since,
            "reason": "先试",
            **{f"weight-{unit}": str(weight) for unit, weight in zip(units, (4, 2), strict=True)},
        }
        assert client.post(path, sent).status_code == 302
        again = client.get(path).content.decode()
    assert f"{since} 起的分配已决定：" in again
    # No share has given anything yet: the places are proposed by what was booked, and nobody's share is proposed away.
    assert "用不完" not in again
    shown = re.search(rf'name="weight-{clinic.world.township}" value="(\d*)"', again)
    assert shown is not None
    assert shown[1] == "6"


@pytest.mark.django_db
def test_a_unit_with_two_kinds_of_share_needs_what_it_took_once() -> None:
    clinic = make_clinic()
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    department, village = clinic.schedule.department, clinic.world.village
    others = [
        make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,))
        for name in ("吴大山", "钱进", "孙秀英")
    ]
    since = timezone.now()
    with acting(system_actor(Purpose.IMPORT)):
        for quota in ("community", "referral"):
            QuotaShare.objects.create(
                department=department, quota=quota, organization_id=village, weight=1, since=timezone.localdate()
            )
    slot = make_slot(clinic, starts_at=since + timedelta(days=2), community=2, referral=1, open=1)
    with acting(system_actor(Purpose.IMPORT)):
        for place in slot.places.exclude(quota="open"):
            Place.objects.filter(pk=place.pk).update(given_quota=place.quota, given_organization_id=village)
    book_for(clinic, slot, clinic.resident, "community")
    book_for(clinic, slot, others[0], "referral")
    book_for(clinic, slot, others[1], "open")
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=others[2].pk, want=want_of(clinic, "referral"), actor=li)
    uses = {}
    with acting(manager):
        for quota in ("community", "referral"):
            found = quota_queries.proposal(
                department=department, quota=quota, since=since, until=since + timedelta(days=30), actor=manager
            )
            uses[quota] = found.lines[0]
    # Two community places and one referral place were given; the open one was wished for by somebody without a referral.
    assert {quota: line.given for quota, line in uses.items()} == {"community": 2, "referral": 1}
    assert "用 1" in uses["community"].reason
    assert "另占其他号 1，候补 0 人" in uses["community"].reason
    assert "另占其他号 0，候补 1 人" in uses["referral"].reason


@pytest.mark.django_db
def test_a_changed_proposal_asks_why_and_keeps_what_was_proposed_beside_it(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), community=6, referral=1)
    book_for(clinic, slot, clinic.resident)
    township = clinic.world.township
    path = f"/slots/quotas/{clinic.schedule.department.key}/community/"
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
        proposed = re.search(rf'name="weight-{township}" value="(\d+)"', client.get(path).content.decode())
        assert proposed is not None
        since = (timezone.localdate() + timedelta(days=1)).isoformat()
        changed = {"since": since, f"weight-{township}": str(int(proposed[1]) + 3)}
        silent = client.post(path, changed)
        assert silent.status_code == 422
        assert f"清溪镇卫生院 {proposed[1]} → {int(proposed[1]) + 3}" in silent.content.decode()
        assert not QuotaShare.objects.exists()
        assert client.post(path, {**changed, "reason": "冬季病人多"}).status_code == 302
        shown = client.get("/slots/quotas/").content.decode()
        assert "冬季病人多" in shown
        assert f"清溪镇卫生院 {proposed[1]} → {int(proposed[1]) + 3}" in shown
        # Taken as it stands a proposal says its own reasons.
        assert client.post(path, {"since": since, f"weight-{township}": proposed[1]}).status_code == 302
        assert QuotaDecision.objects.latest("id").verdict == "accepted"


@pytest.mark.django_db
def test_units_that_nothing_is_proposed_for_are_folded(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), community=6, referral=1)
    path = f"/slots/quotas/{clinic.schedule.department.key}/community/"
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    # Nothing is proposed: all units stand open.
    assert "ds-refusal" not in client.get(path).content.decode()
    book_for(clinic, slot, clinic.resident)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        client.force_login(make_staff(name="周敏二", organization_id=clinic.world.lead, role="clinic_manager"))
        other = f'name="weight-{clinic.world.other_township}"'
        folded = client.get(path).content.decode()
        assert folded.index("ds-refusal") < folded.index(other)
        assert folded.index(f'name="weight-{clinic.world.township}"') < folded.index("ds-refusal")
        sent = {"act": "refuse", "since": "2099-01-01", f"weight-{clinic.world.other_township}": "2"}
        assert re.search(r'<details class="ds-refusal" open>', client.post(path, sent).content.decode())
