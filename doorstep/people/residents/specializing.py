"""Writing 门诊慢特病: what a resident's insurance has recognised, its end, its correction; and its FHIR R4 Flag."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.events.event import Event
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import insuring, queries, special
from doorstep.people.residents.events import SpecialDiseaseEnded, SpecialDiseaseRecorded
from doorstep.people.residents.flags import CATEGORY
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.special_models import SpecialDisease
from doorstep.people.residents.telling import tell

_CATEGORIES = "http://terminology.hl7.org/CodeSystem/flag-category"


@transaction.atomic
def record_special(
    *,
    resident: Resident,
    kind: str,
    since: date | None,
    actor: Actor,
    name: str = "",
    until: date | None = None,
    source: str = SpecialDisease.Source.PAPER.value,
) -> SpecialDisease:
    """Write down that a disease was recognised; one that stands already is a Conflict. Raises Refused at the field."""
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    found = special.faults(kind=kind, name=name, since=since, until=until, today=timezone.localdate())
    if source not in SpecialDisease.Source.values:
        found["source"] = _("请选择依据。")
    if found or since is None:
        raise Refused(_("门诊慢特病登记有内容需要更正，没有保存。"), fields=found)
    line = new_line(resident, kind=kind, name=name, since=since, until=until, actor=actor)
    line.source = source
    try:
        with transaction.atomic(), _writing(line, actor):
            line.save(force_insert=True)
    except IntegrityError as error:
        sentence = _("这个病种已经登记过了；待遇有变化时，请先终止原来的一条。")
        raise Conflict(sentence, fields={"kind": sentence}) from error
    _publish(line, resident, actor)
    _tell(SpecialDiseaseRecorded, line, actor, {"kind": kind, "source": source})
    return line


def new_line(
    resident: Resident, *, kind: str, name: str, since: date, until: date | None, actor: Actor
) -> SpecialDisease:
    """A line that nobody has written yet, with who would write it."""
    return SpecialDisease(
        resident=resident,
        kind=kind,
        name=" ".join(name.split())[:60] if kind == special.OTHER else "",
        since=since,
        until=until,
        recorded_by_name=actor.display_name[:80],
        organization_id=actor.organization_id,
        organization_name=actor.organization_name[:120],
    )


@transaction.atomic
def end_special(*, line: SpecialDisease, ending: str, reason: str, actor: Actor) -> SpecialDisease:
    """Write that a recognition no longer stands: it has ended, or it was an error. Raises Refused without a reason."""
    queries.check_whole_record(resident_id=line.resident_id, permission=Permission.RESIDENT_REGISTER, actor=actor)
    found: dict[str, str] = {}
    if ending not in SpecialDisease.Ending.values:
        found["ending"] = _("请选择是待遇已终止，还是登记有误。")
    if not reason.strip():
        found["reason"] = _("请写明依据，例如“复审未通过”“认定书看错”。")
    if found:
        raise Refused(_("没有保存，请补全内容。"), fields=found)
    if line.ended_at is not None:
        raise Conflict(_("这条门诊慢特病登记已经处理过了，请刷新后查看。"))
    line.ended_at, line.ending, line.reason = timezone.now(), ending, reason.strip()[:200]
    line.ended_by_name = f"{actor.organization_name} {actor.display_name}".strip()[:200]
    line.save(update_fields=["ended_at", "ending", "reason", "ended_by_name"])
    _publish(line, line.resident, actor)
    _tell(SpecialDiseaseEnded, line, actor, {"kind": line.kind, "ending": ending, "reason": line.reason})
    return line


def take_over(lines: Sequence[SpecialDisease]) -> list[tuple[Published, int | None]]:
    """Insert the lines that came with a file; the flags that the record is to be told. Those not said aloud need the system's purpose."""
    made = SpecialDisease.objects.bulk_create(lines)
    return [(to_flag(one, one.resident), one.resident_id) for one in made]


def to_flag(line: SpecialDisease, resident: Resident) -> Published:
    """The Flag of a recognised disease (hl7.org/fhir/R4/flag.html): it tells who pays, so its category is administrative."""
    status = "active" if line.ended_at is None else "inactive"
    if line.ending == SpecialDisease.Ending.ERROR:
        status = "entered-in-error"
    until = line.until or (line.ended_at.date() if line.ended_at and line.ended_at.date() >= line.since else None)
    words = special.KINDS[line.kind] if line.kind != special.OTHER else line.name
    content = elements.compact(
        {
            "resourceType": "Flag",
            "id": str(line.key),
            "status": status,
            "category": [elements.concept(_CATEGORIES, "admin", "Administrative")],
            "code": elements.concept(
                systems.SPECIAL_DISEASE, line.kind, special.KINDS[line.kind], f"门诊慢特病：{words}"
            ),
            "subject": elements.reference("Patient", resident.key, resident.name),
            "period": elements.period(line.since, until),
        }
    )
    return Published(
        content=content,
        organization_id=line.organization_id,
        occurred_at=line.recorded_at,
        category=CATEGORY,
        sensitive=line.kind in special.SENSITIVE,
    )


def _publish(line: SpecialDisease, resident: Resident, actor: Actor) -> None:
    with _writing(line, actor):
        record.publish(to_flag(line, resident), resident_id=resident.pk, actor=actor)
    if line.kind not in special.SENSITIVE:
        insuring.tell_diseases(resident=resident, actor=actor)


def _writing(line: SpecialDisease, actor: Actor) -> AbstractContextManager[object]:
    """What is not said aloud is written by the system: the actor may not read whether there is one already."""
    return for_purpose(Purpose.HANDLER, actor) if line.kind in special.SENSITIVE else nullcontext()


def _tell(event: type[Event], line: SpecialDisease, actor: Actor, facts: dict[str, str]) -> None:
    subject = f"special-disease/{line.key}"
    tell(event, subject=subject, subject_id=line.pk, resident_id=line.resident_id, actor=actor, facts=facts)
