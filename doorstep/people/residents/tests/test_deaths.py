"""Deaths: recorded once, told to the record, taken back with a reason."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.record import queries as record
from doorstep.people.residents import deaths, queries
from doorstep.people.residents.models import Death, Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 4)


def _doctor() -> tuple[World, Resident, Actor]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    return world, resident, of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))


def test_record_death_reaches_banner_record_and_event() -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        deaths.record_death(resident=resident, died_on=DAY, source="family", actor=doctor)
        assert queries.banner(resident).deceased_on == DAY
        patient = record.read(type="Patient", fhir_id=str(resident.key))
        assert patient is not None
        assert (patient["deceasedDateTime"], patient["active"]) == (DAY.isoformat(), False)
        assert EventRow.objects.filter(name="ResidentDied", resident_id=resident.pk).count() == 1
        with pytest.raises(Conflict):
            queries.check_living(resident_id=resident.pk)
        with pytest.raises(Conflict):
            deaths.record_death(resident=resident, died_on=DAY, source="family", actor=doctor)


def test_revoke_death_needs_a_reason_and_keeps_the_row() -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        deaths.record_death(resident=resident, died_on=DAY, source="village", actor=doctor)
        with pytest.raises(Refused) as refused:
            deaths.revoke_death(resident=resident, reason=" 错 ", actor=doctor)
        assert "reason" in refused.value.fields
        deaths.revoke_death(resident=resident, reason="本人持身份证到场", actor=doctor)
        queries.check_living(resident_id=resident.pk)
        patient = record.read(type="Patient", fhir_id=str(resident.key))
        assert patient is not None
        assert "deceasedDateTime" not in patient
        assert [one.revoke_reason for one in queries.revoked_deaths_of(resident)] == ["本人持身份证到场"]
        with pytest.raises(Conflict):
            deaths.revoke_death(resident=resident, reason="本人持身份证到场", actor=doctor)
        deaths.record_death(resident=resident, died_on=DAY, source="family", actor=doctor)
        assert Death.objects.filter(resident=resident).count() == 2


@pytest.mark.parametrize(
    ("died_on", "source", "field"),
    [
        (timezone.localdate() + timedelta(days=2), "family", "died_on"),
        (date(1950, 1, 1), "family", "died_on"),
        (DAY, "rumour", "source"),
        (DAY, "imported", "source"),
        (DAY, "certificate", "certificate"),
    ],
)
def test_record_death_refuses_facts_that_cannot_be(died_on: date, source: str, field: str) -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        with pytest.raises(Refused) as refused:
            deaths.record_death(resident=resident, died_on=died_on, source=source, actor=doctor)
        assert field in refused.value.fields
        assert not queries.is_deceased(resident_id=resident.pk)


def test_record_death_is_for_doctors_with_the_whole_record() -> None:
    world, resident, _ = _doctor()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse), pytest.raises(NotPermitted):
        deaths.record_death(resident=queries.get(resident_id=resident.pk), died_on=DAY, source="family", actor=nurse)
    with acting(system_actor(Purpose.IMPORT)) as system:
        access.open_relationship(
            resident_id=resident.pk,
            organization_id=world.lead,
            reason=CareRelationship.Reason.REFERRAL,
            scope=CareRelationship.Scope.EPISODE,
            episode="booking/x",
            actor=system,
        )
    specialist = of_user(make_staff(name="林晓", organization_id=world.lead, role="specialist"))
    with acting(specialist), pytest.raises(NotPermitted):
        deaths.record_death(
            resident=queries.get(resident_id=resident.pk), died_on=DAY, source="family", actor=specialist
        )


def test_revoke_death_that_a_file_brought() -> None:
    _, resident, doctor = _doctor()
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=resident.pk).update(deceased_on=DAY)
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        assert queries.death_of(resident) is None
        revoked = deaths.revoke_death(resident=resident, reason="名册有误，本人到场", actor=doctor)
        assert (revoked.source, revoked.died_on) == ("imported", DAY)
        assert not queries.is_deceased(resident_id=resident.pk)
