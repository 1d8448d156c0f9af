"""What the receiving side reads: the packet where the sender chose one, the whole record in an emergency, nothing afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.selection import is_preselected
from doorstep.care.referrals.tests.factories import CONSENT, NUMBER, REPORT, Loop, draft, make_loop, referral_in
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Death, Resident
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def sent(loop: Loop, **values: Any) -> Referral:
    """A referral that goes with a packet, unless `values` say otherwise."""
    referral = draft(loop)
    chosen = {"kind": "ordinary", "critical": False, "bed_requested": True, "whole_record": False, **values}
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values=chosen)
        return actions.submit(referral=referral, consent=CONSENT, actor=loop.village)


def seen(loop: Loop, actor: Actor) -> set[str]:
    with acting(actor):
        return {one.type for one in record.timeline(resident_id=loop.resident.id, actor=actor)}


def packed(referral: Referral, actor: Actor) -> set[str]:
    with acting(actor):
        bundle = record.read(type="Bundle", fhir_id=str(referral.key))
        return {one["resource"]["resourceType"] for one in bundle["entry"]} if bundle else set()


def test_a_packet_opens_what_was_chosen_and_what_every_doctor_must_know() -> None:
    loop = make_loop()
    referral = sent(loop)
    # The pressure was not chosen; the report was, problems and medicines always travel.
    assert packed(referral, loop.office) == {"DiagnosticReport", "Condition", "MedicationStatement"}
    assert seen(loop, loop.office) == {"Bundle", "ServiceRequest", "Task", "Consent"}
    client = Client()
    client.force_login(loop.users["village"])
    chart = client.get(reverse("residents:detail", args=[loop.resident.key]))
    assert (chart.status_code, "转诊随附资料" in chart.content.decode()) == (200, True)
    with acting(loop.office):
        assert record.read(type="DiagnosticReport", fhir_id=REPORT) is None
        actions.decline(referral=queries.get(key=referral.key, actor=loop.office), code="no-bed", reason="满床",
                        alternative="请转市中心医院", actor=loop.office)  # fmt: skip
    assert seen(loop, loop.office) == set()


@pytest.mark.parametrize("values", [{"kind": "green"}, {"kind": "urgent"}, {"critical": True}])
def test_an_emergency_opens_the_whole_record(values: dict[str, Any]) -> None:
    loop = make_loop()
    assert sent(loop, **values).whole_record
    assert {"Observation", "DiagnosticReport"} < seen(loop, loop.office)


def test_a_redirect_passes_on_the_packet_and_no_more() -> None:
    loop = make_loop()
    referral = sent(loop)
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
    second = of_user(make_staff(name="另一专员", organization_id=other.pk, role="referral_officer", username="office2"))
    with acting(loop.office):
        fresh = queries.get(key=referral.key, actor=loop.office)
        actions.redirect(referral=fresh, target_id=other.pk, reason="无床位", actor=loop.office)
    assert packed(referral, second) == {"DiagnosticReport", "Condition", "MedicationStatement"}
    assert "Observation" not in seen(loop, second)
    assert seen(loop, loop.office) == set()
    with acting(second):
        actions.accept(referral=queries.get(key=referral.key, actor=second), actor=second)


def test_the_sender_may_open_the_record_later() -> None:
    loop = make_loop()
    referral = sent(loop)
    with acting(loop.office), pytest.raises(Refused):
        actions.open_record(referral=queries.get(key=referral.key, actor=loop.office), actor=loop.office)
    with acting(loop.village):
        actions.open_record(referral=queries.get(key=referral.key, actor=loop.village), actor=loop.village)
    assert {"Observation", "DiagnosticReport"} < seen(loop, loop.office)
    with acting(loop.village), pytest.raises(Conflict):
        actions.open_record(referral=queries.get(key=referral.key, actor=loop.village), actor=loop.village)


def test_a_patient_who_dies_is_registered_as_dead_and_everything_ends() -> None:
    loop = make_loop()
    referral = referral_in(loop, "admitted")
    with acting(loop.specialist):
        fresh = queries.get(key=referral.key, actor=loop.specialist)
        with pytest.raises(Refused):
            actions.record_death(referral=fresh, reason="抢救无效", source="certificate", actor=loop.specialist)
    with acting(loop.specialist):
        fresh = queries.get(key=referral.key, actor=loop.specialist)
        actions.record_death(
            referral=fresh, reason="抢救无效", source="certificate", certificate="431-26-1", actor=loop.specialist
        )
    with acting(system_actor(Purpose.HANDLER)):
        assert Referral.objects.get(pk=referral.pk).state == "died"
        assert Resident.objects.get(pk=loop.resident.pk).deceased_on == timezone.localdate()
        assert Death.objects.get().organization_id == loop.world.lead
    assert seen(loop, loop.specialist) == set()


def page_of(loop: Loop, who: str, referral: Referral) -> str:
    client = Client()
    client.force_login(loop.users[who])
    answer = client.get(reverse("referrals:packet", args=[referral.key]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_office_reads_the_packet_on_a_page_until_the_referral_ends() -> None:
    loop = make_loop()
    referral = sent(loop)
    page = page_of(loop, "office", referral)
    for words in ("十二导联心电图", "急性下壁心肌梗死", "互认", "石桥村卫生室", "原发性高血压", "氨氯地平片 5 mg"):
        assert words in page, words
    assert "168/96" not in page  # the pressure was not chosen; three figures alone may stand in a key
    assert ">168<" not in page
    assert "十二导联心电图" in page_of(loop, "village", referral)
    with acting(loop.office):
        fresh = queries.get(key=referral.key, actor=loop.office)
        actions.advise(referral=fresh, advice="调整降压药，两周后复查。", actor=loop.office)
    ended = page_of(loop, "office", referral)
    assert "没有可查阅的随附资料" in ended
    assert "氨氯地平片" not in ended


def test_a_draft_ticks_what_belongs_to_the_matter_and_shows_no_more() -> None:
    referral = draft(make_loop())
    assert [line["reference"] for line in referral.packet] == [f"DiagnosticReport/{REPORT}"]
    assert not referral.whole_record


@pytest.mark.parametrize(
    ("title", "kind", "days", "impression", "ticked"),
    [
        ("十二导联心电图", "DiagnosticReport", 200, "急性下壁心肌梗死", True),
        ("十二导联心电图", "DiagnosticReport", 400, "急性下壁心肌梗死", False),
        ("膝关节 X 线", "DiagnosticReport", 30, "急性下壁心肌梗死", False),
        ("膝关节 X 线", "DiagnosticReport", 30, "皮疹待查", True),
        ("肾功能", "DiagnosticReport", 30, "急性下壁心肌梗死", True),
        ("出院小结", "Composition", 300, "2 型糖尿病", True),
        ("氨氯地平片", "MedicationRequest", 80, "2 型糖尿病", True),
        ("氨氯地平片", "MedicationRequest", 100, "高血压", False),
    ],
)
def test_is_preselected(title: str, kind: str, days: int, impression: str, ticked: bool) -> None:
    day = timezone.localdate()
    line = {"reference": f"{kind}/1", "title": title}
    assert is_preselected(line, on=day - timedelta(days=days), day=day, impression=impression, code="") == ticked


def test_the_ward_offers_the_medicines_of_a_packet_for_the_way_home() -> None:
    """The ward that sees the packet alone was offered none of the medicines that the patient takes, although they had been sent."""
    loop = make_loop()
    referral = sent(loop)
    with acting(loop.office):
        actions.accept(referral=queries.get(key=referral.key, actor=loop.office), actor=loop.office)
        actions.check_in_by_number(number=NUMBER, actor=loop.office)
    with acting(loop.specialist):
        found = queries.get(key=referral.key, actor=loop.specialist)
        actions.admit(referral=found, actor=loop.specialist, ward="心内一病区", bed="12")
        assert not any(one.startswith("Medication") for one in seen(loop, loop.specialist))
    client = Client()
    client.force_login(loop.users["specialist"])
    page = client.get(reverse("referrals:discharge", args=[referral.key])).content.decode()
    assert "氨氯地平片 5 mg" in page.partition("健康档案中的长期用药")[2]


@pytest.mark.parametrize(
    "subject", ["", "referral", "referral/", "referral/x", "bed/0d1f6a3e-3f6e-4a44-8d7e-0b6a4b3a1c11"]
)
def test_by_subject_of_what_is_no_referral_is_nobody(subject: str) -> None:
    """A bed may be kept without a referral."""
    assert queries.by_subject(subject=subject) is None
