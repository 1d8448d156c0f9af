"""Writing residents: presence, registration, changes, panels."""

import base64
import json
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose
from doorstep.kernel.access.encryption import seal
from doorstep.kernel.access.models import CareRelationship, PresenceProof
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.residents import documents, indexes, insurance, insuring, queries
from doorstep.people.residents.contacts import to_mother
from doorstep.people.residents.events import ResidentChanged, ResidentRegistered
from doorstep.people.residents.flags import flags_of
from doorstep.people.residents.models import Group, Household, Identifier, PanelEntry, Resident
from doorstep.people.residents.patient import to_patient
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.presence_models import PresenceCode
from doorstep.people.residents.rules import GROUPS, NumberFault, birth_fault, mother_fault, phone_fault, spell

CODE_LIVES = timedelta(minutes=5)
# How long the unit that registered somebody may read the record before a contract or another visit.
REGISTRATION_OPENS = timedelta(days=30)

# What residents_prove_presence answers instead of a proof.
_REFUSED = {-1: "closed", -2: "waits", -3: "number_closed_here", -4: "number_closed"}


@dataclass(frozen=True, slots=True)
class PresenceAnswer:
    """What the database answered: the proof's id, or none.

    After too many failed tries it is `closed`; at a machine in a hall perhaps only for a moment (`waits`, half a minute) or for this
    number and this second fact alone: `number_closed_here`, or at every machine (`number_closed`).
    """

    presence_id: int | None
    closed: bool = False
    waits: bool = False
    number_closed_here: bool = False
    number_closed: bool = False


@transaction.atomic
def prove_presence(
    *, number: str, actor: Actor, name: str = "", phone_last_four: str = "", code: str = ""
) -> PresenceAnswer:
    """Prove that a resident stands here by the full number and name with phone's end, or a code from the own phone.

    Never raises for facts that do not fit: the failed try must stay counted, and an exception would undo it.
    """
    if actor.organization_id is None:
        raise NotFound()
    actor.check(Permission.RESIDENT_FIND)
    second = indexes.code_index(code) if code else indexes.phone_proof_index(name, phone_last_four)
    kind = "code" if code else "phone"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT residents_prove_presence(%s, %s, %s, %s)",
            [indexes.number_index(number), kind, second, actor.organization_id],
        )
        answer = int(cursor.fetchone()[0])
    if answer <= 0:
        audit.record(action="presence.failed", actor=actor, details={"second": kind, "closed": answer < 0})
        return PresenceAnswer(None, **{_REFUSED[answer]: True} if answer in _REFUSED else {})
    proof = PresenceProof.objects.get(id=answer)
    audit.record(
        action="presence.prove",
        actor=actor,
        subject=f"presence/{answer}",
        resident_id=proof.resident_id,
        details={"second": kind},
    )
    return PresenceAnswer(answer)


@transaction.atomic
def make_presence_code(*, resident_id: int, actor: Actor) -> str:
    """Six digits for the resident's own phone page; earlier ones end. Raises NotFound for somebody else's record."""
    if actor.kind is not ActorKind.RESIDENT or resident_id not in actor.resident_ids:
        raise NotFound()
    now = timezone.now()
    PresenceCode.objects.filter(resident_id=resident_id, used_at__isnull=True, expires_at__gt=now).update(
        expires_at=now
    )
    code = f"{secrets.randbelow(1_000_000):06d}"
    PresenceCode.objects.create(
        resident_id=resident_id, index=indexes.code_index(code), made_at=now, expires_at=now + CODE_LIVES
    )
    audit.record(action="presence.code", actor=actor, resident_id=resident_id)
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResident:
    """Facts of a person to be registered; without `number` (a child has `mother_number`) a record number is given.

    `number` is that of the `document` (`documents.KINDS`); a passport also names its `country`.
    """

    name: str
    birth_date: date
    gender: str
    number: str = ""
    document: str = documents.NATIONAL_ID
    country: str = ""
    phone: str = ""
    address: str = ""
    relation_to_head: str = ""
    grid_code: str = ""
    groups: tuple[str, ...] = field(default=())
    mother_number: str = ""
    birth_order: int = 1
    household_id: int | None = None
    # How care is paid, when it was asked for (`insurance.KINDS`), and the 统筹区 that insures.
    insurance: str = ""
    insured_at: str = ""


def check_new(new: NewResident) -> dict[str, str]:
    """What is wrong with the facts: a sentence per field with its cure; empty when all is well."""
    today = timezone.localdate()
    found: dict[str, str] = {}
    if not new.name.strip():
        found["name"] = _("请填写姓名，与身份证一致。")
    if slip := birth_fault(new.birth_date, today=today):
        found["birth_date"] = slip
    numbers = (
        ("number", new.document, new.number),
        ("mother_number", documents.NATIONAL_ID, new.mother_number),
    )
    for name, document, number in numbers:
        if not number:
            continue
        try:
            facts = documents.read_document(document, number, country=new.country, today=today).holder
        except NumberFault as fault:
            found["country" if isinstance(fault, documents.CountryFault) else name] = _(str(fault))
            continue
        if facts is None:
            continue
        if name == "number" and facts.birth_date != new.birth_date:
            found["birth_date"] = _("出生日期与身份证号不符，身份证号上是 %(day)s。请核对两者。") % {
                "day": facts.birth_date.isoformat()
            }
        if name == "number" and facts.gender != new.gender:
            found["gender"] = _("性别与身份证号不符，请核对两者。")
        if name == "mother_number" and (no_mother := mother_fault(facts, new.birth_date)):
            found["mother_number"] = no_mother
    unknown = [code for code in new.groups if code not in GROUPS]
    if unknown:
        found["groups"] = _("人群“%(name)s”不在目录中，请从列表里选择。") % {"name": unknown[0]}
    if wrong_phone := phone_fault(new.phone):
        found["phone"] = wrong_phone
    if new.insurance:
        wrong = insurance.faults(kind=new.insurance, place=new.insured_at)
        found |= {"insured_at" if name == "place" else "insurance": sentence for name, sentence in wrong.items()}
    return found


@transaction.atomic
def register(*, new: NewResident, actor: Actor) -> Resident | None:
    """Register a person who stands at the desk with the card: the unit has presence and a relationship of 30 days.

    Returns None when the number is taken (or too many tries have closed the desk): nothing of the known person is
    shown, the way on is the proof of presence. Not raised, because the try must stay counted. Raises Refused for facts
    that do not fit.
    """
    actor.check(Permission.RESIDENT_REGISTER)
    if actor.organization_id is None:
        raise NotFound()
    faults = check_new(new)
    if faults:
        raise Refused(_("有内容需要更正，没有登记。"), fields=faults)
    row = row_of(new, household_id=new.household_id or _household(new, actor))
    try:
        with transaction.atomic():
            resident_id = admit([row], actor=actor, present=True)[0][1]
    except IntegrityError:
        note_taken(new=new, actor=actor)
        return None
    presence = PresenceProof.objects.filter(resident_id=resident_id).latest("id")
    access.open_relationship(
        resident_id=resident_id,
        organization_id=actor.organization_id,
        reason=CareRelationship.Reason.VISIT,
        episode=f"resident/{row['key']}",
        closes_at=timezone.now() + REGISTRATION_OPENS,
        basis=_("登记建档"),
        presence_id=presence.pk,
        actor=actor,
    )
    resident, today = queries.get(resident_id=resident_id), timezone.localdate()
    publish(resident, actor=actor, flags=flags_of(resident, dict.fromkeys(new.groups, today), actor.organization_id))
    if new.mother_number and not resident.national_id:
        record.publish(to_mother(resident, new.mother_number), resident_id=resident.pk, actor=actor)
    if new.insurance:
        insuring.record_insurance(resident=resident, kind=new.insurance, place=new.insured_at, actor=actor)
    events.publish(
        ResidentRegistered(
            subject=f"resident/{resident.key}",
            subject_id=resident.pk,
            resident_id=resident.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
        )
    )
    audit.record(action="resident.register", actor=actor, subject=f"resident/{resident.key}", resident_id=resident.pk)
    return resident


def note_taken(*, new: NewResident, actor: Actor) -> None:
    """Count a try to register a number that is taken; whoever takes the try back with its transaction counts it again."""
    child = indexes.child_index(new.mother_number, new.birth_date, new.birth_order)
    with connection.cursor() as cursor:
        cursor.execute("SELECT residents_note_try(%s)", [indexes.number_index(new.number) if new.number else child])
    audit.record(action="resident.register-taken", actor=actor)


@transaction.atomic
def change(
    *, resident: Resident, actor: Actor, phone: str, address: str, groups: Iterable[str], today: date | None = None
) -> Resident:
    """Change phone, address and groups; a phone's indexes change with it, groups keep their days.

    Groups that the actor may not read are left as they are.
    """
    actor.check(Permission.RESIDENT_REGISTER)
    day = today or timezone.localdate()
    wanted = set(groups)
    facts = NewResident(
        name=resident.name,
        birth_date=resident.birth_date,
        gender=resident.gender,
        phone=phone,
        groups=tuple(sorted(wanted)),
    )
    faults = check_new(facts)
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    if phone != resident.phone:
        _replace_phone(resident, phone)
    flags = _replace_groups(resident, wanted, day, actor)
    changed = [
        name
        for name, old, value in (("phone", resident.phone, phone), ("address", resident.address, address))
        if old != value
    ]
    resident.phone, resident.address = phone, address
    resident.save(update_fields=["phone", "address"])
    publish(resident, actor=actor, flags=flags)
    events.publish(
        ResidentChanged(
            subject=f"resident/{resident.key}",
            subject_id=resident.pk,
            resident_id=resident.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details={"changed": changed, "groups": sorted(wanted)},
        )
    )
    audit.record(
        action="resident.change",
        actor=actor,
        subject=f"resident/{resident.key}",
        resident_id=resident.pk,
        details={"changed": changed},
    )
    return resident


def _replace_groups(resident: Resident, wanted: set[str], day: date, actor: Actor) -> list[Published]:
    """Let the resident leave and join groups on a day; returns the flags of these groups."""
    live = Group.objects.filter(resident=resident, until__isnull=True)
    held = dict(live.values_list("code", "since"))
    left = {code: since for code, since in held.items() if code not in wanted}
    if left:
        live.filter(code__in=left).update(until=day)
    joined = sorted(wanted - held.keys())
    if joined:
        # By the owner: the actor may not read whether a sensitive group is held already, nor read back what is added.
        with connection.cursor() as cursor:
            cursor.execute("SELECT residents_add_groups(%s, %s, %s)", [resident.pk, joined, day])
    unit = actor.organization_id
    return [*flags_of(resident, left, unit, until=day), *flags_of(resident, dict.fromkeys(joined, day), unit)]


def _replace_phone(resident: Resident, phone: str) -> None:
    Identifier.objects.filter(resident=resident, kind__in=["phone", "phone-proof"], live=True).update(live=False)
    if phone:
        pairs = {
            "phone": indexes.phone_index(phone),
            "phone-proof": indexes.phone_proof_index(resident.name, phone[-4:]),
        }
        Identifier.objects.bulk_create(
            [Identifier(resident=resident, kind=kind, index=index) for kind, index in pairs.items()]
        )


def add_to_panel(*, resident: Resident, organization_id: int, actor: Actor) -> None:
    """Put a resident on the panel of a unit that has a relationship; a second time changes nothing."""
    PanelEntry.objects.bulk_create(
        [
            PanelEntry(
                organization_id=organization_id,
                resident=resident,
                name=resident.name,
                pinyin=resident.name_pinyin,
                initials=resident.name_initials,
                since=timezone.localdate(),
            )
        ],
        ignore_conflicts=True,
    )


def row_of(new: NewResident, *, household_id: int | None) -> dict[str, Any]:
    """The row that the database takes over: sealed texts in base64, numbers as indexes."""
    spelled = spell(new.name)
    child = indexes.child_index(new.mother_number, new.birth_date, new.birth_order)
    nameless = not new.number
    own = new.document == documents.NATIONAL_ID
    return {
        "key": str(uuid.uuid4()),
        "name": new.name.strip(),
        "pinyin": spelled.pinyin,
        "initials": spelled.initials,
        "gender": new.gender,
        "birth_date": new.birth_date.isoformat(),
        "national_id": _sealed(new.number) if own else "",
        "document_kind": "" if own or nameless else new.document,
        "document_number": "" if own else _sealed(documents.clean(new.number)),
        "document_country": new.country if new.document == documents.PASSPORT and new.number else "",
        "record_number": f"L{secrets.randbelow(10**11):011d}" if nameless else "",
        "phone": _sealed(new.phone),
        "address": _sealed(new.address),
        "household_id": household_id,
        "relation": new.relation_to_head,
        "grid": new.grid_code,
        "number_index": str(indexes.number_index(new.number)) if new.number else None,
        "phone_index": str(indexes.phone_index(new.phone)) if new.phone else None,
        "proof_index": str(indexes.phone_proof_index(new.name, new.phone[-4:])) if new.phone else None,
        "child_index": str(child) if nameless and new.mother_number else None,
        "groups": list(new.groups),
    }


def admit(rows: Sequence[dict[str, Any]], *, actor: Actor, present: bool) -> list[tuple[uuid.UUID, int]]:
    """Put new people into the index in one statement; returns key and id. A number that is taken: IntegrityError."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT admitted_key, admitted_id FROM residents_admit(%s, %s, %s::jsonb, %s)",
            [actor.organization_id, actor.consortium_id, json.dumps(rows, ensure_ascii=False), present],
        )
        return list(cursor.fetchall())


def _household(new: NewResident, actor: Actor) -> int | None:
    if not new.address or actor.organization_id is None:
        return None
    made = Household.objects.create(organization_id=actor.organization_id, address=new.address, grid_code=new.grid_code)
    return made.pk


def publish(resident: Resident, *, actor: Actor, flags: Sequence[Published] = ()) -> None:
    """Write the resident's Patient as it is now into the record, with the links of its merges, and flags along with it.

    A flag that is not said aloud is written by the system: the actor may not read whether there is one already.
    """
    unit = resident.organization
    replaces = queries.merged_into(resident)
    patient = to_patient(resident, organization_key=unit.key, organization_name=unit.name, replaces=replaces)
    rows = [Row(published=one, resident_id=resident.pk) for one in (patient, *flags)]
    record.write([row for row in rows if not row.published.sensitive], actor=actor)
    veiled = [row for row in rows if row.published.sensitive]
    if veiled:
        with for_purpose(Purpose.HANDLER, actor):
            record.write(veiled, actor=actor)


def _sealed(text: str) -> str:
    return base64.b64encode(seal(text)).decode() if text else ""
