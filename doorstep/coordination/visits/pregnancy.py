"""Whether somebody is pregnant, has just given birth or nurses: what was said, for how long it holds, and its FHIR Observation.

Pure. LOINC 82810-3 (pregnancy status) with the first day of the last period (8665-2) or the day of the delivery (93857-1) as components;
hl7.org/fhir/uv/ips names the status and its answers. A pregnancy ends by itself: nobody has to strike it out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json, coding, compact, concept

NO, PREGNANT, NURSING = "no", "pregnant", "nursing"
STATUSES: Final[dict[str, str]] = {
    NO: gettext_noop("未妊娠，非哺乳期"),
    PREGNANT: gettext_noop("妊娠"),
    NURSING: gettext_noop("产后、哺乳期"),
}
LOINC: Final = "82810-3"
_ANSWERS: Final = {NO: ("LA26683-5", "Not pregnant"), PREGNANT: ("LA15173-0", "Pregnant")}
_LAST_PERIOD, _DELIVERED = "8665-2", "93857-1"
# Expected dates of delivery: estimated, from the last period, by ultrasound.
_EXPECTED: Final = frozenset({"11778-8", "11779-6", "11781-2"})
_TERM: Final = timedelta(days=280)

# Weeks of a pregnancy that is carried over its term; after it the six weeks of childbed.
_LONGEST: Final = timedelta(weeks=42)
CHILDBED: Final = timedelta(days=42)
# Of a pregnancy without a date: 40 weeks and childbed after it was written down.
UNDATED: Final = timedelta(weeks=46)
# Own choice: a child nurses for a year; nursing without a date holds for half a year, "not pregnant" for a cycle.
_NURSES, _NURSES_UNDATED, _CYCLE = timedelta(days=365), timedelta(days=180), timedelta(days=28)
# Full years within which the form asks.
ASKED_FROM, ASKED_UNTIL = 10, 60


@dataclass(frozen=True, slots=True)
class Said:
    """What was said on a day: `status` is one of STATUSES, `since` the first day of the last period or the day of the delivery."""

    status: str
    on: date
    since: date | None = None


def is_asked(*, gender: str, age: int) -> bool:
    """Whether the form asks: of nobody who cannot be."""
    return gender != "male" and ASKED_FROM <= age < ASKED_UNTIL


def carries(said: Said, *, day: date) -> bool | None:
    """Whether she is pregnant or in childbed on a day; None when what was said is too old to tell."""
    if day < said.on:
        return None
    if said.status == NO:
        return False if day - said.on <= _CYCLE else None
    if said.status == PREGNANT:
        ends = said.since + _LONGEST + CHILDBED if said.since else said.on + UNDATED
        return True if day <= ends else None
    if said.since is None:
        return None
    return day - said.since <= CHILDBED


def nurses(said: Said, *, day: date) -> bool | None:
    """Whether she nurses on a day; None when nobody said so, or too long ago."""
    if day < said.on or said.status == PREGNANT:
        return None
    if said.status == NO:
        return False if day - said.on <= _CYCLE else None
    ends = max(said.since + _NURSES, said.on + _CYCLE) if said.since else said.on + _NURSES_UNDATED
    return True if day <= ends else None


def newest(said: Iterable[Said], *, day: date) -> Said | None:
    """The newest of what was said by a day; of two of one day the one that comes first."""
    return max((one for one in said if one.on <= day), key=lambda one: one.on, default=None)


def words_of(said: Said) -> str:
    """The status with its weeks on the day that it was said."""
    words = _(STATUSES[said.status])
    if said.since is None:
        return words
    if said.status == NURSING:
        return _("%(status)s（分娩日期 %(since)s）") % {"status": words, "since": said.since.isoformat()}
    weeks, days = divmod((said.on - said.since).days, 7)
    facts = {"status": words, "weeks": weeks, "days": days, "since": said.since.isoformat()}
    return _("%(status)s %(weeks)s 周 +%(days)s 天（末次月经 %(since)s）") % facts


def faults_of(
    *, status: str, last_period: date | None, delivered: date | None, asked: bool, day: date
) -> dict[str, object]:
    """What is wrong with what a form says, by field: a sentence with its cure."""
    if status and not asked:
        return {"pregnancy": _("患者的性别或年龄不适用，请选“未询问”。")}
    found: dict[str, object] = {}
    if status == PREGNANT and last_period is not None and not timedelta(0) <= day - last_period <= _LONGEST + CHILDBED:
        found["last_period_on"] = _("末次月经应在今天之前、48 周以内，请核对；已分娩的请选“产后、哺乳期”。")
    if status == NURSING and delivered is not None and not timedelta(0) <= day - delivered <= 3 * _NURSES:
        found["delivered_on"] = _("分娩日期应在今天之前、3 年以内，请核对。")
    return found


def to_observation(said: Said, *, id: UUID, subject: Json, performer: Json, at: str) -> Json:
    """The Observation of what was said at an instant."""
    answer = [coding(systems.PREGNANCY_STATUS, said.status, STATUSES[said.status])]
    if said.status in _ANSWERS:
        answer.insert(0, coding(systems.LOINC, *_ANSWERS[said.status]))
    dated = (_DELIVERED, "Date and time of obstetric delivery", "分娩日期")
    if said.status == PREGNANT:
        dated = (_LAST_PERIOD, "Last menstrual period start date", "末次月经")
    return compact(
        {
            "resourceType": "Observation",
            "id": str(id),
            "status": "final",
            "category": [concept(systems.OBSERVATION_CATEGORY, "social-history", "Social History")],
            "code": concept(systems.LOINC, LOINC, "Pregnancy status", "妊娠状态"),
            "subject": subject,
            "effectiveDateTime": at,
            "performer": [performer],
            "valueCodeableConcept": {"coding": answer, "text": STATUSES[said.status]},
            "component": [{"code": concept(systems.LOINC, *dated), "valueDateTime": said.since.isoformat()}]
            if said.since
            else [],
        }
    )


def from_observation(content: Mapping[str, Any], *, on: date) -> Said | None:
    """What an Observation of a day says of it, whoever wrote it; None for any other, and for an answer that says nothing."""
    if LOINC not in _codes(content.get("code")):
        return None
    answers = _codes(content.get("valueCodeableConcept"))
    known = {code: status for status, (code, _display) in _ANSWERS.items()} | {status: status for status in STATUSES}
    # SNOMED CT, as other systems answer.
    known |= {"77386006": PREGNANT, "60001007": NO}
    status = next((known[code] for code in answers if code in known), "")
    # Our own word is the finer one.
    status = next((code for code in answers if code in STATUSES), status)
    return Said(status=status, on=on, since=_since(content, status)) if status else None


def _since(content: Mapping[str, Any], status: str) -> date | None:
    for part in content.get("component") or ():
        codes, when = _codes(part.get("code")), _day(part.get("valueDateTime"))
        if when is None:
            continue
        if status == PREGNANT and _LAST_PERIOD in codes:
            return when
        if status == PREGNANT and codes & _EXPECTED:
            return when - _TERM
        if status == NURSING and _DELIVERED in codes:
            return when
    return None


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _codes(concept: Any) -> frozenset[str]:
    return frozenset(str(one.get("code", "")) for one in (concept or {}).get("coding", ()))
