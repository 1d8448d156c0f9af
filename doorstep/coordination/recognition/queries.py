"""Results of a resident that stand on a day, read from the record under whoever asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from doorstep.coordination.recognition import rules
from doorstep.coordination.recognition.models import Decision
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.kinds import occurred_at

# A report older than the longest window is not asked for; a resident has far fewer than this in 90 days.
_READ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody is about to order: the LOINC code and the title, either may be empty."""

    code: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A result that need not be repeated: `days` the window, `age` days old on the day that was asked for."""

    fhir_id: str
    title: str
    unit: str
    conclusion: str
    critical: bool
    on: date
    age: int
    days: int
    kind: str = ""


def standing_results(*, resident_id: int, wanted: Iterable[Wanted], day: date) -> list[Standing]:
    """For each examination that is wanted the newest result of the same item that stands on this day.

    Only results that the actor may read; the caller records the look. Kinds that the list of windows does not name have none.
    """
    open_ = [one for one in wanted if rules.window(code=one.code, title=one.title)]
    found: dict[str, Standing] = {}
    if not open_:
        return []
    for entry in record.of_type(resident_id=resident_id, type="DiagnosticReport", limit=_READ):
        code, title = _concept(entry.content.get("code"))
        kind = rules.window(code=code, title=title)
        # The window counts from the examination: a report of today may read a recording of last year.
        on = timezone.localtime(occurred_at(entry.content) or entry.occurred_at).date()
        final = entry.content.get("status") in rules.FINAL
        if kind is None or not rules.is_recognised(code=code, title=title, final=final, on=on, day=day):
            continue
        answered = [one for one in open_ if rules.same_item(wanted=(one.code, one.title), done=(code, title))]
        open_ = [one for one in open_ if one not in answered]
        if answered:
            found[entry.fhir_id] = Standing(
                fhir_id=entry.fhir_id,
                title=title or code,
                unit=_performer(entry.content),
                conclusion=str(entry.content.get("conclusion") or ""),
                critical=_is_critical(entry.content),
                on=on,
                age=(day - on).days,
                days=kind.days,
                kind=kind.kind,
            )
    return list(found.values())


def wanted_of(draft: Any) -> Wanted | None:
    """What a drafted ServiceRequest orders; None for anything else."""
    if not isinstance(draft, Mapping) or draft.get("resourceType") != "ServiceRequest":
        return None
    code, title = _concept(draft.get("code"))
    return Wanted(code=code, title=title) if code or title else None


def _concept(value: Any) -> tuple[str, str]:
    """Code and words of a CodeableConcept, however it was sent; a code of LOINC goes before others."""
    if not isinstance(value, Mapping):
        return "", ""
    listed = value.get("coding")
    codings = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    codings.sort(key=lambda one: one.get("system") != systems.LOINC)
    first = codings[0] if codings else {}
    return str(first.get("code") or ""), str(value.get("text") or first.get("display") or "")


def _performer(content: Mapping[str, Any]) -> str:
    named = (one.get("display") for one in content.get("performer") or [] if isinstance(one, Mapping))
    return next((str(name) for name in named if name), "")


def _is_critical(content: Mapping[str, Any]) -> bool:
    return any(
        one.get("url") == systems.CRITICAL_RESULT and one.get("valueBoolean") is True
        for one in content.get("extension") or []
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was decided at one unit in one month: `standing` results were there, so many of them recognised."""

    organization_id: int
    month: date
    standing: int
    recognised: int


def tallies(*, since: datetime, until: datetime, organization_ids: Sequence[int]) -> list[Tally]:
    """The decisions of these units by unit and month in China, newest month first.

    互认率 is recognised ÷ (recognised + repeated where a result stood); dangerous results are no part of it.
    """
    rows = (
        _decided(since, until, organization_ids)
        .annotate(month=TruncMonth("decided_at", tzinfo=timezone.get_default_timezone()))
        .values("organization_id", "month")
        .annotate(standing=Count("id"), recognised=Count("id", filter=Q(verdict=Decision.Verdict.RECOGNISED)))
        .order_by("-month", "organization_id")
    )
    return [
        Tally(
            organization_id=row["organization_id"],
            month=row["month"].date(),
            standing=row["standing"],
            recognised=row["recognised"],
        )
        for row in rows
    ]


def reasons_of(*, since: datetime, until: datetime, organization_ids: Sequence[int]) -> list[tuple[str, int]]:
    """How often each ground of a repeat was given, the most frequent first."""
    found = _decided(since, until, organization_ids).filter(verdict=Decision.Verdict.REPEATED)
    rows = found.values_list("reason").annotate(count=Count("id")).order_by("-count", "reason")
    return [(reason, count) for reason, count in rows]


def decisions(
    *, since: datetime, until: datetime, organization_ids: Sequence[int], verdict: str = "", reason: str = ""
) -> list[Decision]:
    """The decisions behind a figure, newest first, at most 100; without the resident's own data."""
    found = _decided(since, until, organization_ids)
    if verdict:
        found = found.filter(verdict=verdict)
    if reason:
        found = found.filter(reason=reason)
    return list(found.order_by("-decided_at", "-id")[:100])


def _decided(since: datetime, until: datetime, organization_ids: Sequence[int]) -> QuerySet[Decision]:
    return Decision.objects.filter(
        decided_at__gte=since, decided_at__lt=until, organization_id__in=organization_ids, superseded_at__isnull=True
    )
