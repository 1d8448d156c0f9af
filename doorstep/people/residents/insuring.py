"""Writing how a resident's care is paid: a line, its end, its correction."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.residents import insurance, queries
from doorstep.people.residents.coverage import to_coverage
from doorstep.people.residents.events import InsuranceEnded, InsuranceRecorded
from doorstep.people.residents.models import Insurance, Resident
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.special_models import SpecialDisease
from doorstep.people.residents.telling import tell


@transaction.atomic
def record_insurance(
    *,
    resident: Resident,
    kind: str,
    actor: Actor,
    place: str = "",
    insurer: str = "",
    since: date | None = None,
    until: date | None = None,
    source: str = Insurance.Source.TOLD.value,
) -> Insurance:
    """Write down how a resident's care is paid from a day on; the line of the same sort that stood ends with it.

    Raises Refused at the field, Conflict when somebody writes at the same moment.
    """
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    found = insurance.faults(kind=kind, place=place, insurer=insurer, since=since, until=until)
    if source not in Insurance.Source.values:
        found["source"] = _("请选择依据。")
    if found:
        raise Refused(_("医保登记有内容需要更正，没有保存。"), fields=found)
    line = new_line(resident, kind=kind, place=place, insurer=insurer, actor=actor)
    line.since, line.until, line.source = since, until, source
    rows = [_end(one, line) for one in _standing(resident, basic=kind in insurance.BASIC)]
    for one in rows:
        _sign(one, actor)
        one.save(update_fields=["until", "ended_at", "ending", "reason", "ended_by_name"])
    try:
        with transaction.atomic():
            line.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("刚刚有同事登记了这位居民的医保，请刷新后查看。")) from error
    _publish([*rows, line], resident, actor)
    _tell(InsuranceRecorded, line, actor, {"kind": kind, "place": line.place, "source": source})
    return line


@transaction.atomic
def end_insurance(*, line: Insurance, ending: str, reason: str, actor: Actor) -> Insurance:
    """Write that a line no longer stands: its cover has ended, or it was an error. Raises Refused without a reason."""
    queries.check_whole_record(resident_id=line.resident_id, permission=Permission.RESIDENT_REGISTER, actor=actor)
    found: dict[str, str] = {}
    if ending not in (Insurance.Ending.ENDED, Insurance.Ending.ERROR):
        found["ending"] = _("请选择是保障已终止，还是登记有误。")
    if not reason.strip():
        found["reason"] = _("请写明依据，例如“已转为职工医保”“出示凭证与登记不符”。")
    if found:
        raise Refused(_("没有保存，请补全内容。"), fields=found)
    if line.ended_at is not None:
        raise Conflict(_("这条医保登记已经处理过了，请刷新后查看。"))
    line.ended_at, line.ending, line.reason = timezone.now(), ending, reason.strip()[:200]
    _sign(line, actor)
    line.save(update_fields=["ended_at", "ending", "reason", "ended_by_name"])
    _publish([line], line.resident, actor)
    _tell(InsuranceEnded, line, actor, {"kind": line.kind, "ending": ending, "reason": line.reason})
    return line


def new_line(resident: Resident, *, kind: str, actor: Actor, place: str = "", insurer: str = "") -> Insurance:
    """A line that nobody has written yet, with who would write it."""
    return Insurance(
        resident=resident,
        kind=kind,
        place="" if kind in (insurance.SELF_PAY, insurance.COMMERCIAL) else " ".join(place.split())[:60],
        insurer=" ".join(insurer.split())[:60] if kind == insurance.COMMERCIAL else "",
        recorded_by_name=actor.display_name[:80],
        organization_id=actor.organization_id,
        organization_name=actor.organization_name[:120],
    )


def take_over(
    lines: Sequence[Insurance], specials: Mapping[int, Sequence[SpecialDisease]]
) -> list[tuple[Published, int | None]]:
    """Insert the lines that came with a file; what the record is to be told of them, with each resident's recognised diseases."""
    made = Insurance.objects.bulk_create(lines)
    return [
        (
            to_coverage(
                one,
                patient_key=one.resident.key,
                patient_name=one.resident.name,
                specials=specials.get(one.resident_id, ()),
            ),
            one.resident_id,
        )
        for one in made
    ]


def tell_diseases(*, resident: Resident, actor: Actor) -> None:
    """Write the cover that stands again, after what its fund recognises has changed; nothing when no fund pays."""
    standing = Insurance.objects.filter(resident=resident, ended_at__isnull=True, kind__in=insurance.FUNDED)
    _publish(list(standing), resident, actor)


def _standing(resident: Resident, *, basic: bool) -> list[Insurance]:
    return list(
        Insurance.objects.select_for_update(of=("self",)).filter(
            resident=resident, is_basic=basic, ended_at__isnull=True
        )
    )


def _end(old: Insurance, new: Insurance) -> Insurance:
    """An earlier line that a new one takes the place of: it ends the day before, when that is a day of it."""
    before = (new.since or timezone.localdate()) - timedelta(days=1)
    if (old.since is None or old.since <= before) and (old.until is None or old.until > before):
        old.until = before
    old.ended_at, old.ending = timezone.now(), Insurance.Ending.REPLACED.value
    old.reason = _("改为：%(words)s") % {"words": insurance.words(kind=new.kind, place=new.place, insurer=new.insurer)}
    return old


def _sign(line: Insurance, actor: Actor) -> None:
    line.ended_by_name = f"{actor.organization_name} {actor.display_name}".strip()[:200]


def _publish(lines: Sequence[Insurance], resident: Resident, actor: Actor) -> None:
    specials = list(SpecialDisease.objects.filter(resident=resident, ended_at__isnull=True).order_by("since", "id"))
    rows = [
        Row(
            published=to_coverage(
                one,
                patient_key=resident.key,
                patient_name=resident.name,
                specials=specials if one.ended_at is None else (),
            ),
            resident_id=resident.pk,
        )
        for one in lines
    ]
    if rows:
        record.write(rows, actor=actor)


def _tell(event: type[Event], line: Insurance, actor: Actor, facts: dict[str, str]) -> None:
    subject = f"insurance/{line.key}"
    tell(event, subject=subject, subject_id=line.pk, resident_id=line.resident_id, actor=actor, facts=facts)
