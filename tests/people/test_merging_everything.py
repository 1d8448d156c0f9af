"""Merging and parting two people who have a row in every table that follows a person: a new table joins by itself."""

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import RangeField
from django.db import IntegrityError, models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.people.identity import actions, moving, obstacles
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user
from tests.access.scene import Scene
from tests.people.test_merging import _comparable, _merge, _part, made, officer, scene, snapshot, twin

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("merging")]
__all__ = ["made", "officer", "scene", "twin"]
# What a column must hold beyond its type, by a table's own constraints.
_MORE: dict[str, dict[str, Any]] = {"allergies_allergy": {"substance": "青霉素", "other": "青霉素"}}
# A second row would break a rule: one live contract, one person dies once, one row for a referral that is shared here.
_ONE = {
    "access_breakglassreview", "beds_stay", "contracts_contract", "referrals_followup", "referrals_paylater", "referrals_recoveryplan",
    "referrals_referral", "residents_death", "scheduling_rebooking", "scheduling_ticket",
}  # fmt: skip


def _tables() -> list[type[models.Model]]:
    return [one for one in apps.get_models() if isinstance(getattr(one, "when_merged", None), Moves)]


def _filled(model: type[models.Model], resident: Resident, depth: int = 0) -> models.Model:
    """A row of a table that names the resident; what it must refer to is taken as it is, or made in the same way."""
    facts: dict[str, Any] = {}
    for column in model._meta.fields:
        if column.primary_key or (column.has_default() and not column.is_relation):
            continue
        if column.related_model is Resident:
            facts[column.name] = resident
        elif column.name == "resident_id":
            facts[column.name] = resident.pk
        elif column.name == "resident_key":
            facts[column.name] = resident.key
        elif isinstance(column, models.ForeignKey) and not column.null:
            other: Any = column.related_model
            assert depth < 6, column
            facts[column.name] = other.objects.order_by("pk").first() or _filled(other, resident, depth + 1)
        elif not column.is_relation and not column.null and not (column.blank and column.empty_strings_allowed):
            facts[column.name] = _value(column, resident)
    row = model(**facts, **_MORE.get(model._meta.db_table, {}))
    row.save(force_insert=True)
    return row


def _value(column: "models.Field[Any, Any]", resident: Resident) -> object:
    if column.choices:
        return next(iter(column.flatchoices))[0]
    now = timezone.now()
    values: tuple[tuple[type[Any], object], ...] = (
        (RangeField, (now, now + timedelta(minutes=5))),
        (models.DateTimeField, now),
        (models.DateField, date(2026, 1, 1)),
        (models.TimeField, now.time()),
        (models.DurationField, timedelta(minutes=5)),
        (models.UUIDField, uuid.uuid4()),
        (models.BooleanField, False),
        (models.DecimalField, 1),
        (models.IntegerField, 1),
        (models.JSONField, {}),
    )
    for kind, value in values:
        if isinstance(column, kind):
            return value
    return f"x{resident.pk}"[: column.max_length or 9]


def _fill(resident: Resident, *, but: set[str]) -> set[str]:
    """Give a resident a row in every table that follows a person; returns the tables in which there is none."""
    with acting(system_actor(Purpose.IMPORT)):
        held = set(moving.counts(resident.pk)) | but
        missing = set()
        for model in _tables():
            if model._meta.db_table in held:
                continue
            try:
                with transaction.atomic():
                    _filled(model, resident)
            except IntegrityError as error:
                missing.add(f"{model._meta.db_table}: {error}")
        return missing


def test_unmerge_restores_people_who_have_a_row_in_every_table(scene: Scene, twin: Resident, officer: Actor) -> None:
    rich = scene.loop.resident
    assert _fill(rich, but=set()) == set()
    assert _fill(twin, but=_ONE) == set()
    before = snapshot()
    with acting(system_actor(Purpose.IMPORT)):
        held = {one: moving.counts(one.pk) for one in (rich, twin)}
    assert set(held[rich]) >= {one._meta.db_table for one in _tables()} - {"residents_residentaccount"}
    merge = _merge(twin, rich, officer, name="former", phone="former")
    with acting(system_actor(Purpose.IMPORT)):
        left = moving.counts(rich.pk)
    stays = {"residents_identifier", "record_resource", "residents_panelentry", "residents_group"}
    assert set(left) <= stays | {name for name in left if name in held[twin]}
    # What is written after the merge stays with the one who stands.
    later = {"notices_notice", "scheduling_waitingentry", "visits_visit", "worklist_task"}
    with acting(system_actor(Purpose.IMPORT)):
        written = {one._meta.db_table: str(_filled(one, twin).pk) for one in _tables() if one._meta.db_table in later}
    _part(merge, officer)
    after = snapshot()
    for table, key in written.items():
        row = after[table].pop(key)
        assert row["resident_id"] == twin.pk, table
    was, now = _comparable(before), _comparable(after)
    assert {
        (table, key, column, row[column], now[table].get(key, {}).get(column))
        for table, rows in was.items()
        for key, row in rows.items()
        for column in row
        if row[column] != now[table].get(key, {}).get(column)
    } == set()
    assert now == was


def test_two_live_contracts_are_refused_with_the_cure(scene: Scene, twin: Resident, officer: Actor) -> None:
    contract = _second_contract(scene, twin)
    before = snapshot()
    with acting(officer), pytest.raises(Refused, match="先解除其中一份签约"), transaction.atomic():
        actions.merge(
            standing=scene.loop.resident, former=twin, choices={}, reason="核对身份证，为同一人", actor=officer
        )
    assert snapshot() == before
    address = reverse("identity:compare", args=[scene.loop.resident.key]) + f"?with={twin.key}"
    page = _page_of(officer, address)
    # The records office may end no contract: it is told whom to call, and nothing is there to choose or to press.
    assert (page.count(contract.team.name), "请联系 " + contract.signing_organization.name in page) == (2, True)
    assert reverse("residents:entry", args=[twin.key, "Contract", contract.key]) in page
    for absent in ('name="reason"', 'type="radio"', "合并为一份档案", reverse("contracts:detail", args=[contract.key])):
        assert absent not in page


def test_whoever_may_end_a_contract_is_led_to_it(scene: Scene, twin: Resident) -> None:
    contract = _second_contract(scene, twin)
    doctor = of_user(make_staff(name="孙医师", organization_id=contract.signing_organization_id, role="township_duty"))
    with acting(doctor):
        (found,) = obstacles.in_the_way(standing=scene.loop.resident, former=twin, actor=doctor)
    assert {one.resident_id for one in found.held} == {scene.loop.resident.pk, twin.pk}
    assert reverse("contracts:detail", args=[contract.key]) in {one.page for one in found.held}
    assert {one.act for one in found.held} == {"办理解约"}


def test_visits_and_beds_of_both_are_said_beforehand(scene: Scene, twin: Resident, officer: Actor) -> None:
    """The twin is being seen at the township centre; the other comes in there as well, and nobody knows."""
    world = scene.loop.world
    doctor = of_user(make_staff(name="孙医师二", organization_id=world.township, role="township_duty"))
    with acting(doctor):
        visit = visits.open_visit(resident_id=scene.loop.resident.pk, actor=doctor)
        (found,) = obstacles.in_the_way(standing=scene.loop.resident, former=twin, actor=doctor)
        assert reverse("visits:detail", args=[visit.key]) in {one.page for one in found.held}
    with acting(officer):
        (found,) = obstacles.in_the_way(standing=scene.loop.resident, former=twin, actor=officer)
    assert (found.sentence, {one.page for one in found.held}) == (
        "两份档案在同一单位都有未结束的接诊，请先结束其中一次接诊。",
        {""},
    )


def _page_of(actor: Actor, address: str) -> str:
    client = Client()
    client.force_login(User.objects.get(id=actor.user_id or 0))
    return client.get(address).content.decode()


def _second_contract(scene: Scene, twin: Resident) -> Any:
    """The contract of the resident runs, and the twin has its like."""
    with acting(system_actor(Purpose.IMPORT)):
        contract = apps.get_model("contracts", "Contract").objects.filter(resident=scene.loop.resident).first()
        assert contract is not None
        signed = {"state": "active", "signed_at": contract.created_at, "signer_name": "周桂兰"}
        type(contract).objects.filter(pk=contract.pk).update(**signed)
        contract.refresh_from_db()
        contract.pk, contract.key, contract.resident_id = None, twin.key, twin.pk
        contract._state.adding = True
        contract.save()
    return contract
