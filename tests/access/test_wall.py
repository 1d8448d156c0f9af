"""The wall in the database: raw SQL through the application's own connection, without and with an actor."""

import pytest
from django.db import DatabaseError, connection, transaction

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import ANONYMOUS
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting, bind
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

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
