"""Signing, amending, critical values along the line of duty, FHIR, outcomes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import fhirkit
import pytest
import time_machine
from django.utils import timezone

from doorstep.care.diagnosis import actions, handlers, queries
from doorstep.care.diagnosis.models import CriticalValue, EcgOrder, ReportVersion
from doorstep.care.diagnosis.report import Report, plain_words
from doorstep.care.diagnosis.tests.factories import INFARCTION, NORMAL, Loop, claimed, make_loop, signed
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist import queries as tasks
from doorstep.kernel.worklist.models import Task
from doorstep.people.workforce.models import Practitioner

pytestmark = pytest.mark.django_db
CLOCKS = system_actor(Purpose.CLOCKS)


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def test_sign_publishes_the_report_and_keeps_a_sealed_version(loop: Loop) -> None:
    order = signed(loop)
    village = loop.actor("village")
    with acting(village):
        report = record.read(type="DiagnosticReport", fhir_id=str(order.key))
        assert report is not None
        assert (report["status"], report["conclusion"]) == ("final", "正常心电图")
        assert len(report["result"]) == 2
        (signature,) = Resource.objects.filter(type="Provenance").values_list("content", flat=True)
        assert signature["target"] == [{"reference": f"DiagnosticReport/{order.key}", "type": "DiagnosticReport"}]
        assert (signature["agent"][0]["who"]["display"], signature["entity"][0]["role"]) == ("何静", "source")
        request = record.read(type="ServiceRequest", fhir_id=str(order.key))
        assert request is not None
        assert request["status"] == "completed"
        version = ReportVersion.objects.get(order=order)
        assert (version.number, version.signer_name) == (1, "何静")
        assert not Task.objects.filter(item_id=order.pk, kind__startswith="ecg-order", closed_at__isnull=True).exists()
        assert order.plain_zh == "心跳节律正常。"
        assert queries.criticals_of(order=order) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conclusion_text": ""}, "conclusion_text"),
        ({"findings_text": " "}, "findings_text"),
        ({"measurements": {}}, "heart_rate"),
        ({"measurements": {"heart_rate": 72, "qrs_ms": 9000}}, "qrs_ms"),
        ({"critical_code": "nonsense"}, "critical_code"),
    ],
)
def test_sign_incomplete_names_the_field(loop: Loop, change: dict[str, Any], field: str) -> None:
    order = claimed(loop)
    reader = loop.actor("reader")
    with acting(reader):
        with pytest.raises(Refused) as refused:
            actions.sign(order=order, report=replace(NORMAL, **change), measurements_confirmed=True, actor=reader)
        assert field in refused.value.fields
        with pytest.raises(Refused) as unconfirmed:
            actions.sign(order=order, report=NORMAL, measurements_confirmed=False, actor=reader)
        assert set(unconfirmed.value.fields) == {"measurements_confirmed"}
        assert EcgOrder.objects.get(pk=order.pk).state == "reading"
        assert not ReportVersion.objects.exists()


def test_sign_without_licence_is_refused(loop: Loop) -> None:
    order = claimed(loop)
    Practitioner.objects.filter(user=loop.users["reader"]).update(licence_number="")
    reader = loop.actor("reader")
    with acting(reader), pytest.raises(Refused, match="执业证书"):
        actions.sign(order=order, report=NORMAL, measurements_confirmed=True, actor=reader)


def test_sign_by_another_reader_is_a_conflict(loop: Loop) -> None:
    order = claimed(loop)
    second = loop.actor("second")
    with acting(second), pytest.raises(Conflict, match="何静"):
        actions.sign(order=order, report=NORMAL, measurements_confirmed=True, actor=second)


def test_amend_keeps_both_versions_and_tells_a_new_critical_value(loop: Loop) -> None:
    order = signed(loop)
    reader = loop.actor("reader")
    with acting(reader):
        with pytest.raises(Refused):
            actions.amend(order=order, report=INFARCTION, reason=" ", actor=reader)
        amended = actions.amend(order=order, report=INFARCTION, reason="复核发现下壁抬高", actor=reader)
        assert (amended.state, amended.version) == ("signed", 2)
        assert [one.number for one in queries.versions(order=order)] == [1, 2]
        report = record.read(type="DiagnosticReport", fhir_id=str(order.key))
        assert report is not None
        assert report["status"] == "amended"
        assert queries.open_critical_of(order=order) is not None
        actions.amend(order=amended, report=NORMAL, reason="再次复核", actor=reader)
        assert queries.open_critical_of(order=order) is None
        assert [one.state for one in queries.criticals_of(order=order)] == ["withdrawn"]


def test_critical_value_is_told_and_acknowledged_by_the_village(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    village, stranger = loop.actor("village"), loop.actor("stranger")
    with acting(village):
        critical = queries.open_critical_of(order=order)
        assert critical is not None
        with pytest.raises(TransitionRefused):
            actions.close_critical(critical=critical, action="treated", note="卧床吸氧", actor=village)
        taken = actions.acknowledge(critical=critical, actor=village)
        assert (taken.state, taken.holder_id) == ("acknowledged", loop.world.village)
        with pytest.raises(Refused):
            actions.close_critical(critical=taken, action="treated", note="", actor=village)
        closed = actions.close_critical(critical=taken, action="called-120", note="", actor=village)
        assert closed.state == "closed"
        told = record.read(type="Communication", fhir_id=str(critical.key))
        assert told is not None
        assert told["status"] == "completed"
        assert "已呼叫 120" in told["payload"][-1]["contentString"]
    with acting(stranger):
        with pytest.raises(NotFound):
            queries.get_critical(critical.key, actor=stranger)
        with pytest.raises(NotFound):
            actions.acknowledge(critical=critical, actor=stranger)


def test_critical_value_unread_goes_to_township_then_lead_who_opens_this_report_and_nothing_else(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    lead, township, village = loop.actor("lead"), loop.actor("township"), loop.actor("village")
    with acting(lead):
        with pytest.raises(NotFound):
            queries.get_order(order.key, actor=lead)
        assert not Resource.objects.filter(resident_id=loop.resident.id).exists()
    with acting(village):
        critical = queries.open_critical_of(order=order)
        assert critical is not None
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=5, seconds=1)), acting(CLOCKS):
        worklist.run_clocks(actor=CLOCKS)
        levels = tasks.escalations_of(machine="critical-value", item_id=critical.pk)
        assert [one.organization_id for one in levels] == [loop.world.village, loop.world.township]
    with time_machine.travel(start + timedelta(minutes=10, seconds=3)), acting(CLOCKS):
        worklist.run_clocks(actor=CLOCKS)
        levels = tasks.escalations_of(machine="critical-value", item_id=critical.pk)
        assert [one.organization_id for one in levels] == [loop.world.village, loop.world.township, loop.world.lead]
    with acting(lead):
        assert queries.get_order(order.key, actor=lead).conclusion_text == INFARCTION.conclusion_text
        seen = set(Resource.objects.filter(resident_id=loop.resident.id).values_list("episode", flat=True))
        assert seen == {order.subject}
        taken = actions.acknowledge(critical=queries.get_critical(critical.key, actor=lead), actor=lead)
        assert taken.holder_id == loop.world.lead
    with acting(CLOCKS):
        still = Task.objects.filter(kind="critical-value.told", item_id=critical.pk, closed_at__isnull=True)
        assert not still.exists()
    with acting(township), pytest.raises(TransitionRefused, match="钱峰"):
        actions.acknowledge(critical=critical, actor=township)


def test_every_resource_is_valid_fhir(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    village = loop.actor("village")
    with acting(village):
        found = list(Resource.objects.filter(episode=order.subject).values_list("content", flat=True))
    kinds = {content["resourceType"] for content in found}
    assert kinds == {
        "ServiceRequest",
        "DocumentReference",
        "Observation",
        "DiagnosticReport",
        "Provenance",
        "Communication",
    }
    for content in found:
        assert problems(content) == [], content["resourceType"]


def test_note_outcome_reaches_reader_and_village(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    with acting(system_actor(Purpose.HANDLER)):
        handlers.note_outcome(
            Event(subject="referral/x", details={"origin": order.subject, "outcome": "PCI 后好转出院"})
        )
        handlers.note_outcome(Event(subject="referral/x", details={"origin": "visit/1", "outcome": "无关"}))
    reader, village = loop.actor("reader"), loop.actor("village")
    with acting(reader):
        mine = queries.signed_by(actor=reader)
        assert [one.outcome_zh for one in mine] == ["PCI 后好转出院"]
        assert actions.see_outcomes(orders=mine, actor=reader) == 1
        assert actions.see_outcomes(orders=mine, actor=reader) == 0
    with acting(village):
        assert queries.orders_of_source(actor=village)[0].outcome_zh == "PCI 后好转出院"


def test_a_sent_referral_registers_what_was_done_once_the_news_was_received(loop: Loop) -> None:
    order = signed(loop, INFARCTION)
    village = loop.actor("village")
    sent = Event(subject="referral/x", details={"origin": order.subject, "number": "ZZ1"})
    with acting(system_actor(Purpose.HANDLER)):
        handlers.close_by_referral(sent)
    with acting(village):
        critical = CriticalValue.objects.get(order_key=order.key)
        # A referral does not say that somebody has read the critical value.
        assert critical.state == "told"
        actions.acknowledge(critical=critical, actor=village)
    with acting(system_actor(Purpose.HANDLER)):
        handlers.close_by_referral(Event(subject="referral/y", details={"origin": "visit/1", "number": "ZZ2"}))
        assert CriticalValue.objects.get(order_key=order.key).state == "acknowledged"
        handlers.close_by_referral(sent)
        handlers.close_by_referral(sent)
    with acting(village):
        critical.refresh_from_db()
        assert (critical.state, critical.action, critical.action_note) == ("closed", "referred", "已提交转诊单 ZZ1")
        assert not Task.objects.filter(
            kind__startswith="critical", item_id=critical.pk, closed_at__isnull=True
        ).exists()
        communication = record.read(type="Communication", fhir_id=str(critical.key))
        assert communication is not None
        assert communication["status"] == "completed"


def test_verification_knows_a_changed_report(loop: Loop) -> None:
    order = signed(loop)
    reader = loop.actor("reader")
    with acting(reader):
        key = queries.versions(order=order)[0].key
    found = queries.verification(key)
    assert found is not None
    assert (found.genuine, found.number, found.newest) == (True, 1, 1)
    assert queries.verification(order.key) is None


def problems(content: dict[str, Any]) -> list[str]:
    """What the validator says against a resource."""
    return [f"{issue.path}: {issue.message}" for issue in fhirkit.validate(content) if issue.severity == "error"]


@pytest.mark.parametrize(
    ("findings", "conclusion", "critical", "said"),
    [
        (["sinus_rhythm"], "正常心电图", "", "心跳节律正常。"),
        (["sinus_rhythm"], "窦性心律；急性下壁心肌梗死可能", "ami", "请不要走动"),
        (["sinus_rhythm", "infarction_inferior"], "窦性心律；急性下壁心肌梗死可能", "ami", "心脏可能正在缺血"),
        (["sinus_rhythm"], "窦性心律，U 波明显", "", "请听您的医生解释"),
        ([], "正常心电图", "", "请听您的医生解释"),
    ],
)
def test_plain_words_never_reassure_beyond_the_report(
    findings: list[str], conclusion: str, critical: str, said: str
) -> None:
    zh, en = plain_words(Report(findings=findings, conclusion_text=conclusion, critical_code=critical))
    assert said in zh
    assert en
    assert not critical or "正常" not in zh
