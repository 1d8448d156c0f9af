"""The record page against the database: pages by keyset, filters, few queries, and the veil that the database holds."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.refusals import NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.chart import Ask, chart, series
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import chart_views
from doorstep.people.residents.chart.analytes import SERIES
from doorstep.people.residents.chart.filters import Filter, ask_of
from doorstep.people.residents.chart.values import values_of
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import World, add_to_panel, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
LOINC = "http://loinc.org"
SECRET = "精神分裂症"


def _write(resident: Resident, *contents: dict[str, Any], unit: int, sensitive: bool = False, days: int = 0) -> None:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        record.publish_new(
            [
                (
                    Published(
                        content={"id": str(uuid.uuid4()), "subject": {"reference": f"Patient/{resident.key}"}, **one},
                        organization_id=unit,
                        occurred_at=NOW - timedelta(days=days + number),
                        sensitive=sensitive,
                    ),
                    resident.pk,
                )
                for number, one in enumerate(contents)
            ],
            actor=actor,
        )


def _observation(code: str, value: float, unit: str = "umol/L") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}], "text": code},
        "valueQuantity": {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"},
    }


def _condition(code: str, name: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code, "display": name}]},
    }


def _here() -> tuple[World, Resident, Actor]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village, world.lead))
    doctor = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    return world, resident, replace(doctor, session="a" * 64)


def test_chart_pages_by_keyset_show_every_entry_once_while_others_write() -> None:
    world, resident, doctor = _here()
    _write(resident, *(_observation("14682-9", 60 + n) for n in range(23)), unit=world.lead)
    seen: list[str] = []
    before = None
    with acting(doctor):
        while True:
            page = chart(resident_id=resident.pk, ask=Ask(types=("Observation",), limit=10, before=before))
            assert page is not None
            seen += [one.fhir_id for one in page.entries]
            if not page.more:
                break
            before = page.last
            with acting(system_actor(Purpose.IMPORT)) as system:
                new = {"id": str(uuid.uuid4()), **_observation("14682-9", 99)}
                record.publish_new(
                    [
                        (
                            Published(content=new, organization_id=world.lead, occurred_at=NOW + timedelta(days=1)),
                            resident.pk,
                        )
                    ],
                    actor=system,
                )
    assert len(seen) == len(set(seen)) == 23


def test_chart_filters_by_kind_unit_period_and_disease() -> None:
    world, resident, doctor = _here()
    _write(resident, _condition("N18.300", "慢性肾脏病"), _observation("14682-9", 120), unit=world.lead)
    _write(resident, _observation("8867-4", 70, "/min"), _condition("J20", "支气管炎"), unit=world.village, days=400)

    def types(chosen: Filter) -> list[str]:
        found = chart(
            resident_id=resident.pk, ask=ask_of(chosen, now=NOW + timedelta(days=1), before=None, summary=True)
        )
        assert found is not None
        return [one.type for one in found.entries]

    with acting(doctor):
        assert types(Filter()) == ["Condition", "Observation", "Observation", "Condition"]
        assert types(Filter(kind="problem")) == ["Condition", "Condition"]
        assert types(Filter(unit=world.village)) == ["Observation", "Condition"]
        assert types(Filter(period="6m")) == ["Condition", "Observation"]
        assert types(Filter(disease="kidney")) == ["Condition", "Observation"]
        whole = chart(resident_id=resident.pk, ask=Ask(series=SERIES))
        assert whole is not None
        assert whole.units == {world.lead: 2, world.village: 2}
        assert {code for _system, code in whole.values} == {"14682-9", "8867-4"}
        assert len(series(resident_id=resident.pk, codes=SERIES, since=NOW - timedelta(days=30))) == 1


def test_chart_names_an_entry_once_and_says_what_its_line_shows() -> None:
    world, resident, doctor = _here()
    by_patient = {**_observation("14682-9", 6.50), "performer": [{"reference": f"Patient/{resident.key}"}]}
    scan = {"status": "current", "content": [{"attachment": {"data": "c2Nhbg==", "title": "化验单"}}]}
    document = {"resourceType": "DocumentReference", "type": {"text": "化验单"}, **scan}
    _write(resident, by_patient, document, _condition("I10", "高血压"), unit=world.lead)
    with acting(doctor):
        found = chart(resident_id=resident.pk, ask=Ask(series=SERIES))
        assert found is not None
        paper = next(one for one in found.entries if one.type == "DocumentReference")
        assert paper.content["type"] == {"text": "化验单"}
        assert "content" not in paper.content
        values = found.values[(LOINC, "14682-9")]
        assert values[0] is next(one for one in found.entries if one.type == "Observation")
        assert values_of(values)[0].by_patient
        assert found.problems[0] in found.entries


def test_chart_of_a_stranger_is_nothing_and_of_a_narrow_sight_what_it_reads() -> None:
    world, resident, _doctor = _here()
    _write(resident, _observation("14682-9", 70), unit=world.lead)
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        assert chart(resident_id=resident.pk, ask=Ask(series=SERIES)) is None
        assert series(resident_id=resident.pk, codes=SERIES) == []
    with acting(system_actor(Purpose.IMPORT)) as system:
        access.open_relationship(
            resident_id=resident.pk, organization_id=world.other_village, reason=CareRelationship.Reason.ORDER,
            scope=CareRelationship.Scope.ORDER, category="ecg", episode="ecg-order/x", actor=system,
        )  # fmt: skip
    with acting(stranger):
        found = chart(resident_id=resident.pk, ask=Ask(series=SERIES))
        assert found is not None
        assert (found.wide, found.entries, found.kinds, found.values) == (False, [], {}, {})


def test_detail_asks_at_most_eight_queries_for_five_thousand_resources() -> None:
    world, resident, doctor = _here()
    codes = ("14682-9", "2823-3", "4548-4", "8867-4", "718-7")
    _write(resident, *(_observation(codes[n % 5], 60 + n % 40) for n in range(4900)), unit=world.lead)
    _write(resident, *(_condition(f"K{n % 90:02d}", f"诊断 {n}") for n in range(60)), unit=world.township)
    request = RequestFactory().get("/", headers={"HX-Request": "true"})
    request.actor = doctor  # type: ignore[attr-defined]
    with acting(doctor), CaptureQueriesContext(connection) as captured:
        answer = chart_views.detail(request, resident.key)
    assert answer.status_code == 200
    assert len(captured.captured_queries) <= 8, [one["sql"][:120] for one in captured.captured_queries]


def _veiled() -> tuple[World, Resident, Actor]:
    world, resident, doctor = _here()
    _write(resident, _condition("F20.900", SECRET), unit=world.village, sensitive=True)
    return world, resident, doctor


def _read(resident: Resident) -> int:
    """What raw SQL of the application reads: the wall, not the page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM record_resource WHERE resident_id = %(r)s AND sensitive)"
            " + (SELECT count(*) FROM record_resourceversion WHERE resident_id = %(r)s AND sensitive)",
            {"r": resident.pk},
        )
        return int(cursor.fetchone()[0])


def test_sensitive_entries_are_refused_by_the_database_until_they_are_opened_for_a_purpose() -> None:
    _world, resident, doctor = _veiled()
    with acting(doctor):
        assert _read(resident) == 0
        page = chart(resident_id=resident.pk, ask=Ask(series=SERIES))
        assert page is not None
        assert (page.problems, dict(page.veiled), page.unveiled) == ([], {"Condition": 1}, None)
        ends = access.open_sensitive(resident_id=resident.pk, purpose="medication", words="核对既往用药", actor=doctor)
        assert _read(resident) == 2
        page = chart(resident_id=resident.pk, ask=Ask(series=SERIES))
        assert page is not None
        assert page.unveiled == ends
        assert [one.content["code"]["coding"][0]["display"] for one in page.problems] == [SECRET]
    for other in (replace(doctor, session="b" * 64), replace(doctor, session=""), replace(doctor, post_id=0)):
        with acting(other):
            assert _read(resident) == 0
    colleague = of_user(make_staff(name="同事", organization_id=_world.village, role="village_doctor"))
    with acting(replace(colleague, session="a" * 64)):
        assert _read(resident) == 0
    with acting(doctor):
        assert access.close_sensitive(resident_id=resident.pk, actor=doctor) == 1
        assert _read(resident) == 0


def test_open_sensitive_refuses_without_purpose_role_session_or_whole_sight() -> None:
    world, resident, doctor = _veiled()
    with acting(doctor), pytest.raises(Refused) as refused:
        access.open_sensitive(resident_id=resident.pk, purpose="curiosity", words="看", actor=doctor)
    assert set(refused.value.fields) == {"purpose", "words"}
    nurse = replace(of_user(make_staff(name="护士", organization_id=world.village, role="nurse")), session="c" * 64)
    with acting(nurse), pytest.raises(NotPermitted):
        access.open_sensitive(resident_id=resident.pk, purpose="treatment", words="输液前核对", actor=nurse)
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    for actor in (replace(stranger, session="d" * 64), replace(doctor, session="")):
        with acting(actor), pytest.raises(NotFound):
            access.open_sensitive(resident_id=resident.pk, purpose="treatment", words="本次需要", actor=actor)
    with pytest.raises(ProgrammingError, match="permission denied"), acting(doctor), connection.cursor() as cursor:
        cursor.execute("UPDATE access_sensitiveopening SET closes_at = now() + interval '1 year'")


def test_sensitive_entries_stay_open_to_the_resident() -> None:
    _world, resident, _doctor = _veiled()
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("own", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=resident, relation="self", since=NOW.date())
        own = of_user(user)
    with acting(own):
        assert _read(resident) == 2


def test_open_sensitive_page_is_audited_and_told() -> None:
    world, resident, _doctor = _veiled()
    user = make_staff(name="何文静", organization_id=world.village, role="village_doctor")
    client = Client()
    client.force_login(user)
    page = reverse("residents:detail", args=[resident.key])
    assert SECRET not in client.get(page).content.decode()
    address = reverse("residents:open_sensitive", args=[resident.key])
    assert client.post(address, {"purpose": "treatment", "words": "是"}).status_code == 422
    assert client.post(address, {"purpose": "treatment", "words": "失眠加重，调药前核对"}).status_code == 302
    assert SECRET in client.get(page).content.decode()
    with acting(system_actor(Purpose.SEALING)):
        told = AuditEntry.objects.get(action="record.unveil", resident_id=resident.pk)
        assert told.details == {"purpose": "treatment", "words": "失眠加重，调药前核对"}
        looks = AuditEntry.objects.filter(action="record.view", resident_id=resident.pk).order_by("id")
        assert [one.details for one in looks] == [{}, {"sensitive": 2}]
    assert client.post(reverse("residents:close_sensitive", args=[resident.key])).status_code == 302
    assert SECRET not in client.get(page).content.decode()


def test_entry_and_trends_pages_show_what_is_there_and_nothing_else() -> None:
    world, resident, _doctor = _here()
    other = make_resident(organization_id=world.village, name="王德福", number="", phone="")
    with acting(system_actor(Purpose.IMPORT)) as system:
        add_to_panel(other, world.village, system)
    _write(resident, _observation("14682-9", 88), _observation("14682-9", 80), unit=world.lead)
    client = Client()
    client.force_login(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    with acting(system_actor(Purpose.IMPORT)):
        key = Resource.objects.filter(resident_id=resident.pk, type="Observation").values_list("fhir_id", flat=True)[0]
    assert "µmol/L" in client.get(reverse("residents:trends", args=[resident.key])).content.decode()
    assert client.get(reverse("residents:entry", args=[resident.key, "Observation", key])).status_code == 200
    assert client.get(reverse("residents:entry", args=[other.key, "Observation", key])).status_code == 404
    odd = "?kind=x&unit=-1&disease=%00&period=9&before=2026-99~x"
    assert client.get(reverse("residents:detail", args=[resident.key]) + odd).status_code == 200
