"""Writing allergies: an allergy, that none is known, and what turned out wrong."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.allergies import queries
from doorstep.coordination.allergies.events import AllergyRecorded, AllergyRefuted
from doorstep.coordination.allergies.models import Allergy
from doorstep.coordination.allergies.permissions import Permission
from doorstep.coordination.allergies.published import list_id, to_flag, to_intolerance, to_list
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record
from doorstep.kernel.record import queries as record_queries
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.standing import retired
from doorstep.people.residents.telling import tell


@transaction.atomic
def record_allergy(
    *,
    resident: Resident,
    actor: Actor,
    code: str = "",
    other: str = "",
    reaction: str = "",
    severity: str = "",
    certainty: str = Allergy.Certainty.CONFIRMED.value,
) -> Allergy:
    """Write down an allergy: a substance of the value set or, when it is not there, in words.

    A statement that none is known ends with it. Raises Refused at the field, Conflict when the same one stands already.
    """
    residents.check_whole_record(resident_id=resident.pk, permission=Permission.ALLERGY_RECORD, actor=actor)
    known = {one.code: one for one in queries.substances()}
    chosen, words = known.get(code), " ".join(other.split())
    faults: dict[str, str] = {}
    if code and chosen is None:
        faults["code"] = _("请从列表中选择过敏原。")
    if bool(chosen) == bool(words) and not faults:
        faults["other" if words else "code"] = _("请从列表中选择过敏原，列表中没有时填写名称；两者只填一项。")
    if severity and severity not in Allergy.Severity.values:
        faults["severity"] = _("请从列表中选择严重程度。")
    if certainty not in Allergy.Certainty.values:
        faults["certainty"] = _("请选择是否确认。")
    if faults:
        raise Refused(_("过敏史有内容需要更正，没有保存。"), fields=faults)
    line = Allergy(
        resident=resident,
        code=chosen.code if chosen else "",
        other="" if chosen else words[:80],
        substance=(chosen.zh if chosen else words)[:120],
        category=str(chosen.extra.get("category", "")) if chosen else "",
        reaction=reaction.strip()[:120],
        severity=severity,
        certainty=certainty,
    )
    _insert(line, actor)
    for statement in Allergy.objects.filter(resident=resident, kind=Allergy.Kind.NONE, state=Allergy.State.ACTIVE):
        _end(statement, Allergy.State.REPLACED, _("登记了过敏：%(name)s") % {"name": line.substance}, actor)
    return line


@transaction.atomic
def state_none(*, resident: Resident, actor: Actor) -> Allergy:
    """Write down that the resident was asked and no allergy is known; raises Refused while one stands."""
    residents.check_whole_record(resident_id=resident.pk, permission=Permission.ALLERGY_RECORD, actor=actor)
    if queries.for_banner(resident.pk):
        raise Refused(_("档案里有过敏记录，不能登记“无已知过敏”。请先核实并否定有误的记录。"))
    line = Allergy(resident=resident, kind=Allergy.Kind.NONE)
    _insert(line, actor)
    return line


@transaction.atomic
def refute(*, line: Allergy, reason: str, actor: Actor) -> Allergy:
    """Write that a line turned out to be none, with the reason; it stays in the history."""
    residents.check_whole_record(resident_id=line.resident_id, permission=Permission.ALLERGY_RECORD, actor=actor)
    if not reason.strip():
        raise Refused(_("请填写原因。"), fields={"reason": _("请写明依据，例如“皮试阴性”“本人记错”。")})
    if line.state != Allergy.State.ACTIVE:
        raise Conflict(_("这条过敏记录已经处理过了，请刷新后查看。"))
    _end(line, Allergy.State.REFUTED, reason, actor)
    _tell(AllergyRefuted, line, actor)
    return line


def _insert(line: Allergy, actor: Actor) -> None:
    line.recorded_by_id, line.recorded_by_name = actor.user_id, actor.display_name[:80]
    line.organization_id, line.organization_name = actor.organization_id, actor.organization_name[:120]
    try:
        with transaction.atomic():
            line.save(force_insert=True)
    except IntegrityError as error:
        sentence = _("这条过敏史已经登记过了，请刷新后查看。")
        raise Conflict(sentence, fields={"code": sentence}) from error
    _publish(line, actor)
    _tell(AllergyRecorded, line, actor)


def _end(line: Allergy, state: Allergy.State, reason: str, actor: Actor) -> None:
    line.state, line.reason, line.ended_at = state.value, reason.strip()[:200], timezone.now()
    line.ended_by_name = f"{actor.organization_name} {actor.display_name}".strip()[:200]
    line.save(update_fields=["state", "reason", "ended_at", "ended_by_name"])
    _publish(line, actor)


def _publish(line: Allergy, actor: Actor) -> None:
    """The line, the flag of a severe one, and the list of what stands now, in one statement."""
    standing = list(Allergy.objects.filter(resident_id=line.resident_id, state=Allergy.State.ACTIVE).order_by("id"))
    written = [to_intolerance(line), to_list(line.resident, standing, organization_id=actor.organization_id)]
    for one in (line, *_stayed(line)):
        if one is not line:
            written.append(to_intolerance(one))
        if one.severity == Allergy.Severity.SEVERE and one.kind == Allergy.Kind.ALLERGY:
            written.append(to_flag(one))
    record.write([Row(published=one, resident_id=line.resident_id) for one in written], actor=actor)


def _stayed(line: Allergy) -> list[Allergy]:
    """The same allergy of records that were merged into this one, as it counts for the person: like the line that ended.

    Their rows stay as they are, so that the records have each their own again once they are parted.
    """
    formers = access.formers_of(resident_id=line.resident_id) if line.state != Allergy.State.ACTIVE else []
    if not formers:
        return []
    found = Allergy.objects.filter(
        resident_id__in=formers, kind=line.kind, code=line.code, other=line.other, state=Allergy.State.ACTIVE
    ).select_related("resident")
    for one in found:
        one.resident = line.resident
        one.state, one.reason, one.ended_at = line.state, line.reason, line.ended_at
    return list(found)


@transaction.atomic
def renew_lists(*, keys: Sequence[str], actor: Actor) -> None:
    """The lists of these residents after a merge or its undoing; the one of a record that was merged away is retired."""
    with for_purpose(Purpose.HANDLER, actor):
        for resident in Resident.objects.filter(key__in=keys):
            written = record_queries.read(type="List", fhir_id=list_id(resident))
            if access.standing_of(resident_id=resident.pk) != resident.pk:
                if written is not None and written.get("status") == "current":
                    owner = access.standing_of(resident_id=resident.pk)
                    published = retired(written, occurred_at=timezone.now())
                    record.write(
                        [Row(published=replace(published, category=queries.OWN), resident_id=owner)], actor=actor
                    )
                continue
            standing = list(Allergy.objects.filter(resident=resident, state=Allergy.State.ACTIVE).order_by("id"))
            if written is not None or standing:
                renewed = [to_list(resident, standing, organization_id=None), *_counting_again(resident, standing)]
                record.write([Row(published=one, resident_id=resident.pk) for one in renewed], actor=actor)


def _counting_again(resident: Resident, standing: Sequence[Allergy]) -> list[Published]:
    """What stands for these lines where the record has them as ended: their twins ended while the record was merged."""
    keys = [str(one.key) for one in standing]
    entries = record_queries.entries(resident_id=resident.pk, type="AllergyIntolerance", fhir_ids=keys)
    ended = {one.content["id"] for one in entries if queries.has_ended(one.content)}
    found: list[Published] = []
    for line in standing:
        if str(line.key) in ended:
            found.append(to_intolerance(line))
            if line.severity == Allergy.Severity.SEVERE and line.kind == Allergy.Kind.ALLERGY:
                found.append(to_flag(line))
    return found


def _tell(event: type[Event], line: Allergy, actor: Actor) -> None:
    facts = {"kind": line.kind, "code": line.code, "certainty": line.certainty, "severity": line.severity}
    if line.reason:
        facts["reason"] = line.reason
    subject = f"allergy/{line.key}"
    tell(
        event,
        subject=subject,
        subject_id=line.pk,
        resident_id=line.resident_id,
        actor=actor,
        facts=facts,
        area="allergy",
    )
