"""People without a name or number: registering them, naming them later, and numbers that change."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.people.identity.events import ResidentIdentified
from doorstep.people.identity.models import IdentityChange
from doorstep.people.residents import actions as residents
from doorstep.people.residents import documents, indexes, queries
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.residents.patient import former_numbers
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import spell

NAMELESS = "无名氏"
KEPT, WRONG = "kept", "wrong"
OLDEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is, by a document or by the word of family, police or staff."""

    name: str
    birth_date: date
    gender: str
    number: str = ""
    # What the number was that another takes the place of: KEPT when it was this person's, WRONG when it was written by mistake.
    old_number: str = ""
    document: str = documents.NATIONAL_ID
    country: str = ""


@transaction.atomic
def register_unknown(*, gender: str, estimated_age: int, note: str, actor: Actor) -> Resident:
    """Register an emergency patient whom nobody can name: a name that stands for one, a record number, an estimated year.

    note: where and how the person was found, and marks to know them by; it stays in the history. Raises Refused when it
    says too little or the age cannot be.
    """
    actor.check(Permission.RESIDENT_REGISTER)
    note = note.strip()
    faults = {}
    if not 0 <= estimated_age <= OLDEST:
        faults["estimated_age"] = _("估计年龄应在 0 到 120 岁之间。")
    if len(note) < 5:
        faults["note"] = _("请写明发现地点、送来的人和体貌特征，便于以后确认身份。")
    if faults:
        raise Refused(_("有内容需要更正，没有登记。"), fields=faults)
    today = timezone.localdate()
    new = residents.NewResident(
        name=f"{NAMELESS}{today:%m%d}-{timezone.localtime():%H%M%S}",
        birth_date=date(today.year - estimated_age, 1, 1),
        gender=gender,
    )
    made = residents.register(new=new, actor=actor)
    if made is None:
        raise NotFound()
    made.unidentified = True
    made.save(update_fields=["unidentified"])
    residents.publish(made, actor=actor)
    _remember(made, before={}, after={"name": made.name, "note": note}, reason=note, actor=actor)
    return made


@transaction.atomic
def identify(*, resident: Resident, identity: Identity, reason: str, actor: Actor) -> Resident | None:
    """Give a resident the right name, birth date, sex and number.

    A number that another takes the place of is kept in the history. Was it the person's own (`old_number` is KEPT: changed by the police,
    a renewed passport), it goes on finding them, is nobody else's, and stands in the Patient as old; written by mistake (WRONG) it
    finds nobody any more.

    Whoever registers may name the unnamed and number the unnumbered; another number in place of one takes the records
    officer. Returns None when the number is another record's: nothing of it is shown, the try is counted, and the two
    records are for the records office to merge. Raises Refused for facts that do not fit.
    """
    actor.check(Permission.RESIDENT_REGISTER)
    renumbers = bool(_number_of(resident)) and documents.clean(identity.number) != _number_of(resident)
    if renumbers and not actor.may(Permission.RESIDENT_MERGE):
        raise NotPermitted(permission=str(Permission.RESIDENT_MERGE))
    faults = residents.check_new(residents.NewResident(**_new(identity)))
    if renumbers and not identity.number:
        faults["number"] = _("原有证件号码不能清空，请填写新的号码。")
    elif renumbers and identity.old_number not in (KEPT, WRONG):
        faults["old_number"] = _("号码改了：请说明原来的号码是本人曾用的，还是当时录错的。")
    if len(reason.strip()) < 5:
        faults["reason"] = _("请写明依据，例如核对了哪种证件、由谁确认。")
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    before = _facts(resident)
    try:
        with transaction.atomic(), for_purpose(Purpose.MERGE, actor):
            _write(resident, identity)
    except IntegrityError:
        with connection.cursor() as cursor:
            cursor.execute("SELECT residents_note_try(%s)", [indexes.number_index(identity.number)])
        audit.record(action="resident.identify-taken", actor=actor, resident_id=resident.pk)
        return None
    changed = queries.get(resident_id=resident.pk)
    residents.publish(changed, actor=actor)
    _remember(changed, before=before, after=_facts(changed), reason=reason.strip(), actor=actor)
    return changed


def _write(resident: Resident, identity: Identity) -> None:
    spelled = spell(identity.name)
    number, own = documents.clean(identity.number), identity.document == documents.NATIONAL_ID
    held = Resident.objects.select_for_update().get(id=resident.pk)
    old, was = _number_of(held), (held.document_kind or documents.NATIONAL_ID, held.document_country)
    held.name, held.name_pinyin, held.name_initials = identity.name.strip(), spelled.pinyin, spelled.initials
    held.birth_date, held.gender, held.unidentified = identity.birth_date, identity.gender, False
    if number:
        held.national_id = number if own else ""
        held.document_kind = "" if own else identity.document
        held.document_number = "" if own else number
        held.document_country = identity.country if identity.document == documents.PASSPORT else ""
    if number and old and number != old and identity.old_number == KEPT:
        held.former_numbers = json.dumps([*(one for one in former_numbers(held) if one[2] != number), [*was, old]])
    held.save()
    PanelEntry.objects.filter(resident=held).update(
        name=held.name, pinyin=held.name_pinyin, initials=held.name_initials
    )
    if number and number != old:
        _retire_numbers(held, number, keep=identity.old_number == KEPT)
        Identifier.objects.create(
            resident=held,
            kind=identity.document,
            system=held.document_country,
            index=indexes.number_index(number),
        )
    _prove_by_new_name(held)


def _retire_numbers(held: Resident, number: str, *, keep: bool) -> None:
    """The mother's number and a wrong one find nobody any more; the person's own old number becomes one, or is one no more."""
    live = Identifier.objects.filter(resident=held, live=True)
    live.filter(kind__in=(documents.OLD_ID, documents.OLD_DOCUMENT), index=indexes.number_index(number)).update(
        live=False
    )
    if keep:
        live.filter(kind=documents.NATIONAL_ID).update(kind=documents.OLD_ID)
        live.filter(kind__in=documents.OTHERS).update(kind=documents.OLD_DOCUMENT)
    live.filter(kind__in=[*documents.KINDS, "mother-id"]).update(live=False)


def _new(identity: Identity) -> dict[str, Any]:
    return {name: value for name, value in asdict(identity).items() if name != "old_number"}


def _prove_by_new_name(held: Resident) -> None:
    """The second fact of presence is the name with the phone's end: it follows the name."""
    proofs = Identifier.objects.filter(resident=held, kind="phone-proof", live=True)
    if held.phone:
        index = indexes.phone_proof_index(held.name, held.phone[-4:])
        if not proofs.filter(index=index).exists():
            proofs.update(live=False)
            Identifier.objects.create(resident=held, kind="phone-proof", index=index)


def _number_of(resident: Resident) -> str:
    return resident.national_id or resident.document_number or ""


def _facts(resident: Resident) -> dict[str, str]:
    return {
        "name": resident.name,
        "birth_date": resident.birth_date.isoformat(),
        "gender": resident.gender,
        "number": _number_of(resident),
    }


def _remember(resident: Resident, *, before: dict[str, str], after: dict[str, str], reason: str, actor: Actor) -> None:
    IdentityChange.objects.bulk_create(
        [
            IdentityChange(
                resident=resident,
                user_id=actor.user_id,
                actor_name=actor.display_name[:80],
                organization_id=actor.organization_id,
                reason=reason[:400],
                before=json.dumps(before, ensure_ascii=False),
                after=json.dumps(after, ensure_ascii=False),
            )
        ]
    )
    changed = sorted(name for name in after if before.get(name) != after[name])
    subject = f"resident/{resident.key}"
    audit.record(
        action="resident.identify",
        actor=actor,
        subject=subject,
        resident_id=resident.pk,
        basis=reason[:200],
        details={"changed": changed},
    )
    events.publish(
        ResidentIdentified(
            subject=subject,
            subject_id=resident.pk,
            resident_id=resident.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details={"changed": changed},
        )
    )
