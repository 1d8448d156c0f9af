"""One person once: merging moves every row of every table, parting puts every row back where it was."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.access.models import CareRelationship, FormerResident, User
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import queries as audit
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.people.identity import actions, moving, naming
from doorstep.people.identity.facts import FACTS
from doorstep.people.identity.models import Merge
from doorstep.people.residents import actions as resident_actions
from doorstep.people.residents import finding
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Group, Identifier, PanelEntry, Resident, ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user
from tests.access.scene import Scene, kept_scene
from tests.fhir.house import searched

# One worker makes the scene once, and each test has it as it was.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("merging")]

# The traces grow: what happened is not unsaid by an undone merge. Everything else is as it was.
TRACES = {"audit_auditentry", "events_eventrow", "events_waitingevent", "record_resourceversion"}
LEDGER = {"identity_merge", "identity_movedrow"}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    with kept_scene(django_db_blocker) as scene:
        yield scene


@pytest.fixture
def scene(made: Scene) -> Scene:
    return deepcopy(made)


@pytest.fixture
def officer(scene: Scene) -> Actor:
    return of_user(make_staff(name="档案科", organization_id=scene.loop.world.lead, role="records_officer"))


@pytest.fixture
def twin(scene: Scene) -> Resident:
    """The same woman registered a second time: another spelling, another phone, no card at hand."""
    world = scene.loop.world
    made = make_resident(
        organization_id=world.township, name="周桂蓝", number="", phone="19900005678", panel_of=(world.township,)
    )
    doctor = of_user(make_staff(name="孙医师", organization_id=world.township, role="township_duty"))
    with acting(system_actor(Purpose.IMPORT)) as system:
        Group.objects.create(resident=made, code="hypertension", since=made.birth_date)
        account = User.objects.create_user("twin", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=account, resident=made, since=made.birth_date)
        resident_actions.publish(made, actor=system)
        resident_actions.publish(Resident.objects.get(id=scene.loop.resident.pk), actor=system)
    with acting(doctor):
        visits.open_visit(resident_id=made.pk, actor=doctor)
    return made


@contextmanager
def undone() -> Iterator[None]:
    """A block whose writes are rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def snapshot() -> dict[str, dict[str, Any]]:
    """Every row of every table of ours, as the table holds it, by table and primary key."""
    found: dict[str, dict[str, Any]] = {}
    with acting(system_actor(Purpose.IMPORT)), connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table, key = model._meta.db_table, model._meta.pk.column
            if not model.__module__.startswith("doorstep.") or getattr(model, "app_privileges", None) == ():
                continue
            cursor.execute(f'SELECT "{key}"::text, to_jsonb(t)::text FROM "{table}" t')
            found[table] = {number: json.loads(row) for number, row in cursor.fetchall()}
    return found


def _comparable(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without the ledger and the traces; of the two Patients the version and its time may have gone on."""
    kept = {table: dict(content) for table, content in rows.items() if table not in TRACES | LEDGER}
    patients = {
        number: {**row, "version": 0, "updated_at": "", "content": {**row["content"], "meta": {}}}
        for number, row in kept["record_resource"].items()
        if row["type"] == "Patient"
    }
    return {**kept, "record_resource": {**kept["record_resource"], **patients}}


def _merge(standing: Resident, former: Resident, officer: Actor, **choices: str) -> Merge:
    with acting(officer):
        return actions.merge(
            standing=standing, former=former, choices=choices, reason="核对身份证，为同一人", actor=officer
        )


def _part(merge: Merge, officer: Actor) -> None:
    with acting(officer):
        actions.unmerge(merge=Merge.objects.get(pk=merge.pk), reason="并非同一人，误合并", actor=officer)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.sets(st.sampled_from([fact.code for fact in FACTS])), turned=st.booleans())
def test_unmerge_leaves_every_row_of_every_table_equal(
    scene: Scene, twin: Resident, officer: Actor, chosen: set[str], turned: bool
) -> None:
    standing, former = (twin, scene.loop.resident) if turned else (scene.loop.resident, twin)
    with undone():
        before = snapshot()
        merge = _merge(standing, former, officer, **dict.fromkeys(chosen, "former"))
        assert snapshot()["access_formerresident"]
        _part(merge, officer)
        after = snapshot()
        assert _comparable(after) == _comparable(before)
        for table in TRACES:
            assert before[table].items() <= after[table].items()


def test_merge_moves_the_rows_of_every_table(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    with acting(system_actor(Purpose.IMPORT)):
        held = moving.counts(rich.pk)
    # The scene has something in nearly every table; a new table that it leaves empty is tried by the property above.
    assert {"visits_visit", "contracts_contract", "referrals_referral", "record_resource"} <= set(held)
    merge = _merge(twin, rich, officer)
    with acting(system_actor(Purpose.IMPORT)):
        left = moving.counts(rich.pk)
        moved = set(merge.rows.values_list("table", flat=True))
    assert set(left) <= {"residents_identifier", "record_resource", "residents_panelentry", "residents_group"}
    assert set(held) - {"residents_group"} <= moved


def test_unmerge_keeps_what_was_written_in_between_with_the_standing_record(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    rich = scene.loop.resident
    village = scene.loop.actor("village")
    merge = _merge(rich, twin, officer)
    before = snapshot()
    with acting(village):
        new = visits.open_visit(resident_id=rich.pk, actor=village)
    with acting(system_actor(Purpose.MERGE)):
        since = moving.counts_since(Merge.objects.get(pk=merge.pk))
    assert "visits_visit" not in before or new.pk
    _part(merge, officer)
    with acting(system_actor(Purpose.IMPORT)):
        new.refresh_from_db()
        assert new.resident_id == rich.pk
        assert twin.visits.count() == 1
    if str(new.pk) not in before["visits_visit"]:
        assert since["visits_visit"] == 1


def test_former_patient_answers_with_a_link_and_its_subject_finds_the_survivors_resources(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    rich = scene.loop.resident
    _merge(rich, twin, officer)
    doctor = scene.loop.actor("village")
    with acting(doctor):
        former = record.read(type="Patient", fhir_id=str(twin.key))
        standing = record.read(type="Patient", fhir_id=str(rich.key))
        found = {}
        for asked in (twin, rich):
            bundle = searched("Encounter", [("subject", f"Patient/{asked.key}")], actor=doctor)
            found[asked.pk] = (bundle["entry"], bundle["total"])
    assert former is not None
    assert standing is not None
    assert former["active"] is False
    assert former["link"] == [{"other": {"reference": f"Patient/{rich.key}", "type": "Patient"}, "type": "replaced-by"}]
    assert standing["link"] == [{"other": {"reference": f"Patient/{twin.key}", "type": "Patient"}, "type": "replaces"}]
    subjects = {entry["resource"]["subject"]["reference"] for entry in found[rich.pk][0]}
    assert subjects == {f"Patient/{rich.key}", f"Patient/{twin.key}"}
    assert found[twin.pk] == found[rich.pk]


def test_references_to_the_former_record_lead_to_the_person(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    _merge(rich, twin, officer)
    with acting(officer):
        assert residents.get_by_key(twin.key, officer).pk == rich.pk
        assert residents.get(resident_id=twin.pk).pk == rich.pk
        assert residents.behind_reference(reference=f"Patient/{twin.key}") == (rich.pk, str(rich.key))
        assert residents.get_former(key=twin.key).pk == twin.pk
        assert [one.key for one in finding.search_panel("周桂蓝", officer)] == []
        assert [one.key for one in finding.search_panel("周桂兰", officer)] == [rich.key]


def test_the_record_number_of_the_former_record_goes_on_finding_the_person(scene: Scene, officer: Actor) -> None:
    nurse = of_user(make_staff(name="钱护士", organization_id=scene.loop.world.lead, role="nurse"))
    found = "高速路口，120 送来，左眉有疤"
    with acting(nurse):
        first, second = (
            naming.register_unknown(gender="female", estimated_age=60, note=found, actor=nurse) for _time in range(2)
        )
    merge = _merge(first, second, officer)
    with acting(officer):
        for number in (first.record_number, second.record_number):
            assert [one.key for one in finding.search_panel(number, officer)] == [first.key]
    _part(merge, officer)
    with acting(officer):
        assert [one.key for one in finding.search_panel(second.record_number, officer)] == [second.key]


def test_whoever_saw_one_record_sees_the_person_and_no_longer_after_parting(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    rich = scene.loop.resident
    stranger = of_user(make_staff(name="何医师", organization_id=scene.loop.world.other_village, role="village_doctor"))
    with acting(system_actor(Purpose.IMPORT)) as system:
        access.open_relationship(
            resident_id=twin.pk,
            organization_id=scene.loop.world.other_village,
            reason=CareRelationship.Reason.CONTRACT,
            actor=system,
        )
    merge = _merge(rich, twin, officer)
    with acting(stranger):
        assert residents.get(resident_id=rich.pk).pk == rich.pk
        assert EventRow.objects.filter(resident_id=twin.pk).exists()
    _part(merge, officer)
    with acting(stranger):
        assert residents.get(resident_id=twin.pk).pk == twin.pk
        with pytest.raises(NotFound):
            residents.get(resident_id=rich.pk)


def test_the_resident_sees_who_looked_at_both_records(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    _merge(rich, twin, officer)
    owner = of_user(User.objects.get(username="twin"))
    assert owner.resident_ids == (rich.pk, twin.pk)
    with acting(owner):
        acts = {(entry.action, entry.resident_id) for entry in audit.who_looked(resident_id=rich.pk, actor=owner)}
    assert ("visit.open", twin.pk) in acts
    assert {("resident.merge", rich.pk), ("resident.merge", twin.pk)} <= acts


def test_chosen_phone_proves_presence_and_the_other_no_longer(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    number = rich.national_id
    _merge(rich, twin, officer, phone="former")
    nurse = of_user(make_staff(name="钱护士", organization_id=scene.loop.world.lead, role="nurse"))
    with acting(nurse):
        old = resident_actions.prove_presence(
            number=number, name=rich.name, phone_last_four=rich.phone[-4:], actor=nurse
        )
        new = resident_actions.prove_presence(number=number, name=rich.name, phone_last_four="5678", actor=nurse)
    assert (old.presence_id, new.presence_id is not None) == (None, True)


def test_merge_needs_the_role_and_both_records_in_sight(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich, world = scene.loop.resident, scene.loop.world
    doctor = scene.loop.actor("village")
    with acting(doctor), pytest.raises(NotPermitted):
        actions.merge(standing=rich, former=twin, choices={}, reason="核对身份证，为同一人", actor=doctor)
    elsewhere = of_user(make_staff(name="档案", organization_id=world.other_township, role="records_officer"))
    with acting(elsewhere), pytest.raises(NotFound):
        actions.merge(standing=rich, former=twin, choices={}, reason="核对身份证，为同一人", actor=elsewhere)
    with acting(officer), pytest.raises(Refused):
        actions.merge(standing=rich, former=twin, choices={}, reason=" ", actor=officer)
    with acting(officer), pytest.raises(Refused):
        actions.merge(standing=rich, former=rich, choices={}, reason="核对身份证，为同一人", actor=officer)


def test_merges_of_a_chain_part_from_the_end(scene: Scene, twin: Resident, officer: Actor) -> None:
    world = scene.loop.world
    third = make_resident(organization_id=world.village, name="周桂南", number="", phone="", panel_of=(world.village,))
    before = snapshot()
    first = _merge(twin, third, officer, name="former")
    second = _merge(scene.loop.resident, twin, officer, phone="former", name="former")
    with acting(officer):
        assert residents.get(resident_id=third.pk).pk == scene.loop.resident.pk
        with pytest.raises(Refused, match="请先撤销那一次合并"), transaction.atomic():
            actions.unmerge(merge=Merge.objects.get(pk=first.pk), reason="并非同一人，误合并", actor=officer)
        with pytest.raises(Conflict), transaction.atomic():
            actions.merge(standing=twin, former=third, choices={}, reason="核对身份证，为同一人", actor=officer)
    _part(second, officer)
    with acting(officer), pytest.raises(Conflict), transaction.atomic():
        actions.unmerge(merge=Merge.objects.get(pk=second.pk), reason="并非同一人，误合并", actor=officer)
    _part(first, officer)
    assert _comparable(snapshot())["residents_resident"] == _comparable(before)["residents_resident"]
    assert not snapshot()["access_formerresident"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_merges_into_one_record_part_in_any_order(
    scene: Scene, twin: Resident, officer: Actor, order: tuple[int, int]
) -> None:
    world, rich = scene.loop.world, scene.loop.resident
    third = make_resident(
        organization_id=world.township, name="周桂南", number="", phone="19900007777", panel_of=(world.township,)
    )
    before = snapshot()
    merges = [_merge(rich, other, officer, name="former", phone="former") for other in (twin, third)]
    for place in order:
        _part(merges[place], officer)
    after = _comparable(snapshot())
    for table in ("residents_resident", "residents_panelentry", "visits_visit", "access_carerelationship"):
        assert after[table] == _comparable(before)[table], table


def test_rows_written_in_the_moment_of_the_merge_follow(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    merge = _merge(rich, twin, officer)
    with acting(system_actor(Purpose.IMPORT)):
        late = Group.objects.create(resident=twin, code="diabetes", since=twin.birth_date)
    with acting(system_actor(Purpose.MERGE)) as system:
        assert actions.gather_late_rows(actor=system) == 1
        late.refresh_from_db()
        assert late.resident_id == rich.pk
    _part(merge, officer)
    with acting(system_actor(Purpose.IMPORT)):
        late.refresh_from_db()
        assert late.resident_id == twin.pk


def test_resources_written_anew_while_merged_name_the_former_record_again(
    scene: Scene, twin: Resident, officer: Actor
) -> None:
    rich = scene.loop.resident
    merge = _merge(rich, twin, officer)
    doctor = of_user(make_staff(name="孙医师", organization_id=scene.loop.world.township, role="township_duty"))
    with acting(doctor):
        visit = twin.visits.model.objects.get(organization_id=scene.loop.world.township, resident_id=rich.pk)
        visits.finish(visit=visit, actor=doctor)
        written = record.read(type="Encounter", fhir_id=str(visit.key))
    assert written is not None
    assert written["subject"]["reference"] == f"Patient/{rich.key}"
    _part(merge, officer)
    with acting(system_actor(Purpose.IMPORT)):
        row = Resource.objects.get(type="Encounter", fhir_id=str(visit.key))
    assert row.resident_id == twin.pk
    assert row.content["subject"]["reference"] == f"Patient/{twin.key}"


def test_no_application_code_can_merge_without_the_purpose(scene: Scene, twin: Resident) -> None:
    doctor = scene.loop.actor("village")
    with (
        acting(doctor),
        pytest.raises(Exception, match="merge refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT access_merge(%s, %s)", [twin.pk, scene.loop.resident.pk])
    with acting(doctor), pytest.raises(Exception, match="permission denied"), transaction.atomic():
        FormerResident.objects.create(former_id=twin.pk, standing_id=scene.loop.resident.pk)


def test_merge_leaves_audit_event_and_history(scene: Scene, twin: Resident, officer: Actor) -> None:
    merge = _merge(scene.loop.resident, twin, officer)
    _part(merge, officer)
    with acting(system_actor(Purpose.IMPORT)):
        names = list(
            EventRow.objects.filter(name__in=["ResidentsMerged", "MergeUndone"])
            .order_by("id")
            .values_list("name", flat=True)
        )
        acts = AuditEntry.objects.filter(action__in=["resident.merge", "resident.unmerge"]).count()
        kept = Merge.objects.get(pk=merge.pk)
    assert names == ["ResidentsMerged", "MergeUndone"]
    assert acts == 4
    assert kept.merged_by_name == kept.undone_by_name == "档案科"
    assert kept.undo_reason == "并非同一人，误合并"


def test_every_table_that_moves_has_a_name_for_the_page() -> None:
    assert all(str(holder.moves.name) for holder in moving.holders())
    assert {holder.table for holder in moving.holders()} == {
        model._meta.db_table for model in apps.get_models() if isinstance(getattr(model, "when_merged", None), Moves)
    }
    assert {PanelEntry._meta.db_table, Identifier._meta.db_table} <= set(moving.names())
