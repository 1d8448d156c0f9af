"""A result stands: recognised or repeated for a reason, counted by unit and month, down to the decisions."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tests.factories import INFARCTION, Loop, make_loop, signed
from doorstep.coordination.recognition.models import Decision
from doorstep.coordination.recognition.queries import Wanted, standing_results
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user
from doorstep.steering.indicators import recognition as shares

pytestmark = pytest.mark.django_db


def _visit(loop: Loop, village: Actor) -> Visit:
    with acting(village):
        return visits.open_visit(resident_id=loop.resident.id, actor=village, complaint="复诊")


def test_a_standing_result_is_recognised_or_repeated_for_a_reason() -> None:
    loop = make_loop()
    village = loop.actor("village")
    first = _visit(loop, village)
    with acting(village), pytest.raises(Conflict):
        diagnosis.recognise_result(visit=first, actor=village)
    report = signed(loop)
    with acting(village):
        for reason, field in (("", "repeat_reason"), ("R6", "repeat_words"), ("R9", "repeat_words")):
            with pytest.raises(Refused) as refused:
                diagnosis.order_after_look(
                    visit=first, actor=village, indication="复查", repeat_reason=reason, repeat_words=" "
                )
            assert list(refused.value.fields) == [field]
        assert not EcgOrder.objects.exclude(pk=report.pk).exists()
        diagnosis.recognise_result(visit=first, actor=village)
        (kept,) = Decision.objects.all()
        assert (kept.verdict, kept.kind, kept.report_id) == ("recognised", "ecg", str(report.key))
        # After midnight the recording is one of yesterday.
        assert report.taken_at is not None
        assert kept.age_days == (timezone.localdate() - timezone.localdate(report.taken_at)).days
        # The doctor changes the mind in the same visit: the later decision counts alone.
        order = diagnosis.order_after_look(visit=first, actor=village, indication="胸痛加重", repeat_reason="R1")
        kept.refresh_from_db()
        newest = Decision.objects.get(superseded_at__isnull=True)
        assert kept.superseded_at is not None
        assert (newest.verdict, newest.reason, newest.order_key) == ("repeated", "R1", order.key)
        issue, former = (record.read(type="DetectedIssue", fhir_id=str(one.key)) for one in (newest, kept))
        assert issue is not None
        assert former is not None
        assert not problems(issue)
        assert (issue["status"], former["status"]) == ("final", "cancelled")
        assert [one["reference"] for one in issue["implicated"]] == [
            f"DiagnosticReport/{report.key}",
            f"ServiceRequest/{order.key}",
        ]
        assert issue["mitigation"][0]["action"]["coding"][0]["code"] == "R1"
        assert set(EventRow.objects.filter(subject__startswith="recognition/").values_list("name", flat=True)) == {
            "ResultRecognised", "ExaminationRepeated",
        }  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.filter(pk=newest.pk).update(reason="")
    with acting(loop.actor("stranger")):
        assert not Decision.objects.exists()
        with pytest.raises(NotFound):
            diagnosis.recognise_result(visit=first, actor=loop.actor("stranger"))
    with acting(system_actor(Purpose.IMPORT)):
        assert AuditEntry.objects.filter(action="recognition.repeated", resident_id=loop.resident.pk).count() == 1


def test_a_dangerous_result_asks_for_no_reason_and_is_never_recognised() -> None:
    loop = make_loop()
    village = loop.actor("village")
    signed(loop, INFARCTION)
    visit = _visit(loop, village)
    with acting(village):
        with pytest.raises(Refused):
            diagnosis.recognise_result(visit=visit, actor=village)
        assert diagnosis.order_after_look(visit=visit, actor=village, indication="复查").pk
        assert not Decision.objects.exists()


def test_pages_from_the_card_to_the_share_and_its_decisions(client: Client) -> None:
    loop = make_loop()
    village = loop.actor("village")
    report = signed(loop)
    visit = _visit(loop, village)
    client.force_login(loop.users["village"])
    address = f"/ecg/orders/new/{visit.key}/"
    page = client.get(address).content.decode()
    assert "认可结果，不再检查" in page
    assert "重复检查的理由" in page
    refused = client.post(address, {"indication": "复查"})
    assert refused.status_code == 422
    assert "已有可互认的结果。需要重复检查时，请选择理由" in refused.content.decode()
    assert "已记录" in client.post(f"{address}recognise/", follow=True).content.decode()
    with acting(village):
        visits.finish(visit=visit, actor=village)
    other = _visit(loop, village)
    taken = client.post(
        f"/ecg/orders/new/{other.key}/", {"indication": "胸痛", "repeat_reason": "R9", "repeat_words": "患者要求"}
    )
    assert taken.headers["Location"].endswith("/upload/")
    chart = client.get(f"/residents/{loop.resident.key}/").content.decode()
    assert "认可既往结果，未重复检查" in chart
    assert "已有结果，重复检查" in chart
    assert "患者要求" in chart
    manager_user = make_staff(name="曾庆明", organization_id=loop.world.lead, role="manager")
    manager = of_user(manager_user)
    with acting(manager):
        found = shares.list_shares(actor=manager, span="year")
        assert found.whole is not None
        assert (found.whole.standing, found.whole.recognised, found.whole.share) == (2, 1, 0.5)
        assert [(line.name, line.standing) for line in found.units] == [("石桥村卫生室", 2)]
        assert [line.name for line in found.months] == [f"{timezone.localtime():%Y-%m}"]
        assert found.reasons == [("R9", "其他确需复查的情形", 1)]
        unit = found.units[0].key
        (line,) = shares.list_decisions(actor=manager, span="month", unit=unit, verdict="repeated")
        assert (line.repeated, line.reason, line.unit) == (True, "其他确需复查的情形", "禾川县心电诊断中心")
    elsewhere = of_user(make_staff(name="陈立新", organization_id=loop.world.other_township, role="manager"))
    with acting(elsewhere):
        assert shares.list_shares(actor=elsewhere, span="year").whole is None
        assert shares.list_decisions(actor=elsewhere, span="year", unit=unit) == []
    client.force_login(manager_user)
    page = client.get("/indicators/recognition/?span=quarter").content.decode()
    assert "50" in page
    page = client.get(f"/indicators/recognition/decisions/?unit={unit}&reason=R9").content.decode()
    assert "重复检查" in page
    assert "患者要求" not in page
    assert loop.resident.name not in page
    assert str(report.key) not in page
    assert client.get("/indicators/recognition/decisions/?unit=nonsense").status_code == 404


def test_the_window_counts_from_the_examination() -> None:
    loop = make_loop()
    order = signed(loop)
    village, wanted = loop.actor("village"), [Wanted(code="11524-6", title="")]
    with acting(village):
        assert standing_results(resident_id=loop.resident.id, wanted=wanted, day=timezone.localdate())
    report = record.read(type="DiagnosticReport", fhir_id=str(order.key))
    assert report is not None
    with acting(system_actor(Purpose.HANDLER)):
        old = {**report, "effectiveDateTime": "2020-01-02T08:00:00+08:00"}
        Resource.objects.filter(type="DiagnosticReport", fhir_id=str(order.key)).update(content=old)
    with acting(village):
        assert standing_results(resident_id=loop.resident.id, wanted=wanted, day=timezone.localdate()) == []
