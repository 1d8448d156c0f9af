"""The wall in the database: raw SQL through the application's own connection, without and with an actor."""

import itertools

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from doorstep.care.diagnosis import actions as diagnosis
from doorstep.care.referrals import actions as referrals
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import ANONYMOUS, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting, bind
from doorstep.people.residents import actions as presence
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_staff, make_world
from doorstep.site.actors import of_user
from tests.access.scene import make_scene

pytestmark = pytest.mark.django_db

FORBIDDEN = "42501"
SECURED = ["residents_resident", "residents_identifier", "access_carerelationship", "residents_panelentry"]


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_raw_sql_without_an_actor_reads_no_resident() -> None:
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.village,))
    bind(ANONYMOUS)
    assert {table: _count(table) for table in SECURED} == dict.fromkeys(SECURED, 0)


def _columns_of_residents() -> dict[str, str]:
    """Every table that names a resident, with the column that does."""
    found = {Resident._meta.db_table: "id"}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if field.column and (field.related_model is Resident or field.name == "resident_id"):
                found[model._meta.db_table] = field.column
    return found


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_never_told_an_actor_neither_reads_nor_changes_any_table_of_residents() -> None:
    """As somebody would who has the application's password and a prompt: a whole record is there, and nothing of it is seen."""
    make_scene()
    tables = _columns_of_residents()
    filled = _filled(tables)
    # An empty table would prove nothing.
    assert len(filled) > 12
    assert {*SECURED, "visits_visit", "diagnosis_ecgorder", "record_resource", "audit_auditentry"} <= filled
    prompt = connection.copy()
    try:
        for table, column in tables.items():
            assert _tried(prompt, f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL") == 0, table
            assert _tried(prompt, f"UPDATE {table} SET {column} = {column}") == 0, table
            assert _tried(prompt, f"DELETE FROM {table} WHERE {column} IS NOT NULL") == 0, table
    finally:
        prompt.close()
    assert _filled(tables) == filled


def _filled(tables: dict[str, str]) -> set[str]:
    """The tables with rows of a resident, as the system sees them; of some nobody in the application reads a row."""
    with acting(system_actor(Purpose.IMPORT)), connection.cursor() as cursor:
        cursor.execute("SELECT t FROM unnest(%s::text[]) t WHERE has_table_privilege(t, 'SELECT')", [[*tables]])
        return {table for (table,) in cursor.fetchall() if _count(f"{table} WHERE {tables[table]} IS NOT NULL")}


def _tried(prompt: BaseDatabaseWrapper, statement: str) -> int:
    """How many rows a statement met; none where it is not permitted at all."""
    with prompt.cursor() as cursor:
        try:
            cursor.execute(statement)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", "") != FORBIDDEN:
                raise
            return 0
        return int(cursor.rowcount)


def test_a_foreign_village_doctor_finds_no_way_to_a_resident() -> None:
    """Every reason in every scope, with no proof and with the proof that another unit has; every act that begins a relationship."""
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(li):
        known = presence.prove_presence(number=ZHOU_NUMBER, name="周桂兰", phone_last_four="1234", actor=li).presence_id
        visit = visits.open_visit(resident_id=resident.pk, actor=li, presence_id=known)
    assert known is not None
    reasons = [one for one in CareRelationship.Reason if one is not CareRelationship.Reason.EMERGENCY]
    with acting(zhao):
        for reason, scope, proof in itertools.product(reasons, CareRelationship.Scope, (None, known)):
            with pytest.raises(NotFound):
                access.open_relationship(
                    resident_id=resident.pk,
                    organization_id=world.other_village,
                    reason=reason,
                    scope=scope,
                    episode=visit.subject,
                    category="ecg",
                    presence_id=proof,
                    actor=zhao,
                )
        for act in (
            lambda: visits.open_visit(resident_id=resident.pk, actor=zhao),
            lambda: visits.open_visit(resident_id=resident.pk, actor=zhao, presence_id=known),
            lambda: visits.record_vitals(visit=visit, actor=zhao, systolic=120, diastolic=80),
            lambda: diagnosis.order_ecg(actor=zhao, indication="胸闷", resident_id=resident.pk),
            lambda: diagnosis.order_ecg(actor=zhao, indication="胸闷", visit=visit),
        ):
            # Nobody is there for him; where an act is handed somebody whom no page would give him, the wall refuses its rows.
            with pytest.raises((NotFound, DatabaseError)) as refused, transaction.atomic():
                act()
            assert getattr(refused.value.__cause__, "sqlstate", FORBIDDEN) == FORBIDDEN
        with pytest.raises(NotFound), transaction.atomic():
            referrals.draft_from_record(resident=resident, actor=zhao)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            CareRelationship.objects.create(
                resident_id=resident.pk, organization_id=world.other_village, reason=CareRelationship.Reason.CONTRACT
            )
        assert {table: _count(table) for table in SECURED} == dict.fromkeys(SECURED, 0)
    with acting(system_actor(Purpose.IMPORT)):
        assert not CareRelationship.objects.filter(organization_id=world.other_village).exists()


def test_own_village_doctor_sees_and_stranger_does_not() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    li = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(li):
        assert _count("residents_resident") == 1
    with acting(zhao):
        assert _count("residents_resident") == 0
        for reason in CareRelationship.Reason:
            if reason is CareRelationship.Reason.EMERGENCY:
                continue
            with pytest.raises(NotFound):
                access.open_relationship(
                    resident_id=resident.id, organization_id=world.other_village, reason=reason, actor=zhao
                )
        assert _count("residents_resident") == 0


def test_application_role_cannot_write_relationships_or_proofs() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    for statement in (
        f"INSERT INTO access_presenceproof (resident_id, user_id, organization_id, second_fact, proved_at)"
        f" VALUES ({resident.id}, {zhao.user_id}, {world.other_village}, 'phone', now())",
        f"UPDATE access_carerelationship SET organization_id = {world.other_village}",
        "DELETE FROM audit_auditentry",
        "UPDATE audit_auditentry SET action = 'x'",
        "ALTER TABLE residents_resident DISABLE ROW LEVEL SECURITY",
        "SET ROLE doorstep_owner",
    ):
        with acting(zhao), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_township_sees_what_its_village_sees() -> None:
    world = make_world()
    make_resident(organization_id=world.village, panel_of=(world.village,))
    duty = of_user(make_staff(name="孙医师", organization_id=world.township, role="township_duty"))
    sister = of_user(make_staff(name="何医师", organization_id=world.other_township, role="township_duty"))
    manager = of_user(make_staff(name="马主任", organization_id=world.lead, role="manager"))
    for actor, seen in ((duty, 1), (sister, 0), (manager, 0)):
        with acting(actor):
            assert _count("residents_resident") == seen
