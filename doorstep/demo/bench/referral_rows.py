"""A house full of open referrals, written with COPY: every open stage, with its task, its first step and the ways of sight."""

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import Field, JSONField
from django.utils import timezone

from doorstep.care.referrals.models import Referral
from doorstep.demo.county import heroes
from doorstep.demo.loading.copying import Copied, Tally, copy, reset_sequences
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.lines import row_lines
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.workflow.models import Step
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident

# How many of a hundred open referrals stand where.
STAGES = {
    "submitted": 16, "submitted_green": 1, "returned": 4, "offered": 5, "accepted": 20, "on_the_way": 2, "not_arrived": 3,
    "arrived": 4, "in_treatment": 8, "admitted": 9, "discharged": 4, "handed_back": 5, "received_back": 17, "outside": 2,
}  # fmt: skip
_AT_THE_OFFICE = 2  # every second referral goes to the measured office's hospital
_BATCH = 5_000
_TABLES = ("referrals_referral", "worklist_task", "workflow_step", "access_carerelationship")
_DIAGNOSES = (
    ("I21.1", "急性下壁心肌梗死"),
    ("I63.9", "脑梗死"),
    ("J44.1", "慢性阻塞性肺疾病急性加重"),
    ("E11.9", "2 型糖尿病"),
)


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    key: uuid.UUID
    name: str
    gender: str
    born: Any
    home: int


@transaction.atomic
def load(*, count: int, drafts: int, seed: int = 1) -> Tally:
    """Write `count` open referrals and `drafts` drafts of the family doctor that are ready to be sent; as the owner.

    Raises LookupError when the county has too few residents: nobody has two open referrals to one unit.
    """
    chance, tally = random.Random(seed), Tally()
    people = [_Person(*row) for row in _residents(count + drafts)]
    if len(people) < count + drafts:
        raise LookupError(f"the county has {len(people)} residents, {count + drafts} are needed")
    houses = list(Organization.objects.filter(kind="hospital").order_by("id").values_list("id", flat=True))
    parents = dict(Organization.objects.values_list("id", "parent_id"))
    office = _house_of(heroes.REFERRAL_OFFICER)
    first = (Referral.objects.order_by("-id").values_list("id", flat=True).first() or 0) + 1
    stages = [code for code, share in STAGES.items() for _n in range(share)]
    for start in range(0, count + drafts, _BATCH):
        rows = []
        for number in range(start, min(start + _BATCH, count + drafts)):
            person = people[number]
            ready = number >= count
            state = "draft" if ready else stages[number * 37 % 100]
            target = office if ready or number % _AT_THE_OFFICE == 0 else chance.choice(houses)
            source = heroes.HOME_UNIT if ready else person.home
            way = (source, target, parents.get(source))
            rows.append(_referral(first + number, person, state=state, way=way, chance=chance))
        copy(_copied(rows), tally)
    reset_sequences(*_TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_TABLES)}")
    return tally


def _residents(count: int) -> Any:
    """The family doctor's own people come last: they are the drafts."""
    rows = Resident.objects.filter(deceased_on__isnull=True).values_list(
        "id", "key", "name", "gender", "birth_date", "organization_id"
    )
    own = Organization.objects.filter(path__contains=[heroes.HOME_UNIT]).values("id")
    mine = list(rows.filter(organization__in=own).order_by("-id")[: count // 2])
    others = list(rows.exclude(organization__in=own).order_by("id")[:count])
    return [*others, *mine][-count:]


def _house_of(practitioner: int) -> int:
    found = {one.id: one for one in heroes.hero_practitioners()}[practitioner]
    return found.posts[0][0]


def _referral(
    number: int, person: _Person, *, state: str, way: tuple[int, int, int | None], chance: random.Random
) -> dict[str, Any]:
    now = timezone.now()
    begun = now - timedelta(minutes=chance.randrange(5, 90 * 24 * 60))
    since = begun + (now - begun) * chance.random()
    if state == "handed_back":
        # Not yet so silent that the clock gives the patient back to the hospital.
        since = max(since, now - timedelta(hours=chance.randrange(1, 48)))
    code, words = chance.choice(_DIAGNOSES)
    source, target, above = way
    facts: dict[str, Any] = {
        "id": number, "key": uuid.UUID(int=chance.getrandbits(128), version=4), "state": state, "state_since": since,
        "created_at": begun, "consortium_id": CONSORTIUM, "resident_id": person.id, "resident_key": person.key,
        "patient_name": person.name, "patient_gender": person.gender, "patient_birth_date": person.born,
        "kind": "green" if state == "submitted_green" else "urgent" if number % 9 == 0 else "ordinary",
        "source_id": source, "target_id": target, "receiver_id": None, "referrer_id": heroes.FAMILY_DOCTOR,
        "reviewer_id": heroes.FAMILY_DOCTOR, "impression_code": code, "impression": words,
        "present_illness": "胸闷、气促三天，活动后加重，血压 168/96 mmHg。" * 3, "history": "原发性高血压十年，规律服药。",
        "treatment": "氨氯地平 5 mg 每日一次。", "bed_requested": True, "aim": "department", "direction": "up",
        "referrer_phone": "0731-2345678",
    }  # fmt: skip
    if state == "outside":
        facts |= {"direction": "out", "target_id": None, "outside_name": "省人民医院", "outside_reason": "no-skill"}
    elif state != "draft":
        facts |= _moments(state, begun, since, above)
    return facts


_ORDER = (
    (("accepted", "on_the_way", "not_arrived", "offered"), ("accepted_at", "expected_at")),
    (("arrived",), ("arrived_at",)),
    (("in_treatment", "admitted"), ("treated_at",)),
    (("discharged",), ("discharged_at",)),
    (("handed_back",), ("handed_back_at",)),
    (("received_back",), ("received_back_at",)),
)


def _moments(state: str, begun: datetime, since: datetime, above: int | None) -> dict[str, Any]:
    """The times of the stages that lie behind a referral."""
    found: dict[str, Any] = {
        "submitted_at": begun + timedelta(minutes=4),
        "consent_signer": "本人",
        "consent_relation": "self",
        "consent_signed_at": begun + timedelta(minutes=3),
        "consent_version": "1",
    }
    if state in ("submitted", "submitted_green", "returned"):
        # Silent for long, and told so: the clock that passes silent ones on has nothing to do with them.
        found["unanswered_at"] = since
        return found
    if state == "offered":
        found |= {"offer_text": "心内科门诊", "offer_until": timezone.now() + timedelta(days=1)}
    for members, columns in _ORDER:
        found |= dict.fromkeys(columns, since)
        if state in members:
            break
    # Nothing falls due while the bench runs: the clocks are not what is measured.
    found["expected_at"] = timezone.now() + timedelta(days=1)
    if found.get("discharged_at"):
        found |= {"discharge_diagnosis": "好转", "receiver_id": above if found.get("handed_back_at") else None}
        found["receiver_id"] = found["receiver_id"] or (heroes.HOME_UNIT if found.get("handed_back_at") else None)
    return found


def _copied(rows: list[dict[str, Any]]) -> list[Copied]:
    fields = [one for one in Referral._meta.concrete_fields if not one.generated]
    columns = tuple(str(one.column) for one in fields)
    lines = [[_value(one, row) for one in fields] for row in rows]
    return [
        Copied("referrals_referral", columns, row_lines(lines)),
        _of(Task, (_task(row) for row in rows)),
        _of(Step, (_step(row) for row in rows)),
        _of(CareRelationship, (one for row in rows for one in _sights(row))),
    ]


def _of(model: Any, rows: Iterator[dict[str, Any]]) -> Copied:
    fields = [one for one in model._meta.concrete_fields if one.name != "id"]
    return Copied(
        model._meta.db_table,
        tuple(str(one.column) for one in fields),
        row_lines([_value(one, row) for one in fields] for row in rows),
    )


def _value(one: "Field[Any, Any]", row: dict[str, Any]) -> Any:
    """What COPY reads: lists as arrays or JSON, as the column wants them."""
    value = row[one.attname] if one.attname in row else one.get_default()
    if isinstance(one, ArrayField):
        return "{" + ",".join(map(str, value)) + "}"
    if isinstance(one, JSONField) and value is not None:
        return json.dumps(value)
    return value


def _task(row: dict[str, Any]) -> dict[str, Any]:
    state = Referral.machine.state(row["state"])
    side = {"source": "source_id", "target": "target_id", "receiver": "receiver_id"}[state.owner or "source"]
    return {
        "kind": f"referral.{row['state']}", "item_id": row["id"], "item_key": row["key"], "organization_id": row[side],
        "consortium_id": CONSORTIUM, "resident_id": row["resident_id"], "permission": state.permission or "",
        "urgency": {"green": 2, "urgent": 1}.get(row["kind"], 0), "opened_at": row["state_since"],
        # A tenth is late.
        "due_at": timezone.now() + timedelta(days=2 if row["id"] % 10 else -2),
        "warned_at": row["state_since"], "escalated_at": row["state_since"], "escalate_to": [],
    }  # fmt: skip


def _step(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": "referral", "item_id": row["id"], "item_key": row["key"], "resident_id": row["resident_id"],
        "verb": "draft", "to_state": "draft", "at": row["created_at"], "actor_name": "孙医师",
        "organization_id": row["source_id"], "organization_name": "", "parties": [row["source_id"]],
    }  # fmt: skip


def _sights(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {
        "resident_id": row["resident_id"],
        "consortium_id": CONSORTIUM,
        "scope": "full",
        "opened_at": row["created_at"],
    }
    yield {**shared, "organization_id": row["source_id"], "reason": "contract", "basis": "bench"}
    if row["state"] != "draft" and row["target_id"]:
        episode = f"referral/{row['key']}"
        yield {
            **shared,
            "organization_id": row["target_id"],
            "reason": "referral",
            "episode": episode,
            "basis": "bench",
        }
