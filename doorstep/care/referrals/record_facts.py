"""What the record already knows of a patient: read once, to fill in the form and to judge the criteria."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from doorstep.care.referrals.criteria import HOME, Fact
from doorstep.care.referrals.long_term import LongTerm, long_term_of
from doorstep.care.referrals.measured import (
    MEASURED,
    Pressure,
    codes_of,
    day_of,
    hba1cs_of,
    newest_of,
    pressures_of,
    standing_observations,
)
from doorstep.care.referrals.pregnancies import pregnancy_facts, said_by
from doorstep.care.referrals.problems import affirmed_in, episodes_of, problem_facts
from doorstep.care.referrals.rules import YOUNG_ONSET, goal_of
from doorstep.coordination.recognition import rules as recognition
from doorstep.coordination.visits import pregnancy
from doorstep.coordination.visits.pregnancy import Said
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.kinds import occurred_at
from doorstep.kernel.record.queries import Entry

# What may travel with a patient.
TRAVELS = frozenset({"DiagnosticReport", "Composition", "DocumentReference", "ImagingStudy", "MedicationRequest"})
_TYPES = (
    "Observation",
    "Condition",
    "MedicationStatement",
    "MedicationRequest",
    "DiagnosticReport",
    "AllergyIntolerance",
    "Composition",
    "DocumentReference",
    "ImagingStudy",
    "Encounter",
)
# hl7.org/fhir/R4/valueset-condition-clinical.html and -condition-ver-status.html
_OVER = frozenset({"inactive", "remission", "resolved"})
_UNTRUE = frozenset({"refuted", "entered-in-error"})
# Thought of, not established: of these a criterion says nothing.
_OPEN = frozenset({"unconfirmed", "differential"})
# hl7.org/fhir/R4/valueset-medication-statement-status.html and -medicationrequest-status.html
_TAKEN = frozenset({"active", "intended"})
# A complaint of yesterday is not why the patient is sent today.
_TODAY = timedelta(hours=24)
# A sign older than this says nothing of how the patient is now: last year's pressure sends nobody as an emergency.
_SIGN_HOLDS = timedelta(days=1)
# What was last measured longer ago says nothing of how a treatment goes; a year is that of an exacerbation count.
_COURSE_HOLDS, _YEAR = timedelta(days=92), timedelta(days=365)
# For how long a value says something of now: signs a day, HbA1c what it shows of the last three months.
_HOLDS: Mapping[str, timedelta] = {"hba1c": _COURSE_HOLDS}
# Before going home a glucose is not measured every day.
_HOLDS_AT_HOME: Mapping[str, timedelta] = {**_HOLDS, "glucose": timedelta(days=3)}
# A critical report is why somebody is sent while it is as new as an electrocardiogram that others recognise.
REPORT_HOLDS = timedelta(days=7)
# Pressures of less than a week from each other are one follow-up, measured twice.
_APART = timedelta(days=7)
_MONTH = 30
_HBA1C_GOAL = 7.0
_EXACERBATED = ("J44.0", "J44.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the record says: today's complaint, the newest measurements with their days, conditions, medicines, and the report
    that started it.
    """

    measured: Mapping[str, Fact] = field(default_factory=dict)
    # Pressures; day and HbA1c; days of an exacerbated lung disease: newest first.
    pressures: tuple[Pressure, ...] = ()
    hba1cs: tuple[tuple[date, float], ...] = ()
    exacerbations: tuple[date, ...] = ()
    # Code, words and day of every problem that stands: what the criteria read, and nothing that is shown.
    problems: tuple[tuple[str, str, date | None], ...] = ()
    # What was said of a pregnancy, a delivery or nursing.
    pregnancies: tuple[Said, ...] = ()
    # Days since which a hypertension is known.
    onsets: tuple[date, ...] = ()
    # Code and words of all that the patient has or had, and of what stands; what is veiled is in neither.
    conditions: tuple[tuple[str, str], ...] = ()
    active: tuple[tuple[str, str], ...] = ()
    medicines: tuple[str, ...] = ()
    long_term: tuple[LongTerm, ...] = ()
    allergies: tuple[str, ...] = ()
    complaint: str = ""
    report_title: str = ""
    report_text: str = ""
    report_code: str = ""
    report_on: date | None = None
    report_critical: bool | None = None
    report_is_ecg: bool = True
    packet: tuple[dict[str, Any], ...] = field(default_factory=tuple)

    def number(self, name: str) -> int | float | None:
        """The newest value of a measurement, None when there is none."""
        fact = self.measured.get(name)
        return None if fact is None else fact.value


# What the criteria of going up rest on, besides the report that started it.
_JUDGED = ("Observation", "Condition")
# What stands for years is read apart: a hundred values of one stay in hospital would push it out of the newest entries.
_STANDING = ("Condition", "AllergyIntolerance", "MedicationStatement")


def judged_of(*, resident_id: int, origin_reference: str) -> Known:
    """What the criteria read of the record, in one query, and no more; the caller records the look (`looking`)."""
    entries = record.newest(
        resident_id=resident_id, types=_JUDGED, also=origin_reference, limit=150, apart=_STANDING[:1]
    )
    return _known(entries, origin_reference)


def known_of(*, resident_id: int, origin_reference: str, actor: Actor) -> Known:
    """Read the newest 150 entries of the record, and as many of what stands for years; the look is audited."""
    record.note_look(resident_id=resident_id, actor=actor, subject=f"resident/{resident_id}", action="record.view")
    entries = record.newest(resident_id=resident_id, types=_TYPES, limit=150, apart=_STANDING)
    day = timezone.localdate()
    return replace(
        _known(entries, origin_reference),
        medicines=tuple(dict.fromkeys(_medicine(e.content) for e in entries if _taken(e))),
        # What is veiled stays out of a plan that is shown to others.
        long_term=long_term_of(
            (e.content, day_of(e)) for e in entries if e.type.startswith("Medication") and not e.sensitive
        ),
        allergies=tuple(dict.fromkeys(filter(None, map(_allergy, entries)))),
        complaint=next(filter(None, map(_complaint, entries)), ""),
        packet=tuple(packet_line(entry, day=day) for entry in entries if entry.type in TRAVELS),
    )


def _known(entries: list[Entry], origin_reference: str) -> Known:
    report = _report(entries, origin_reference)
    true = [e for e in entries if e.type == "Condition" and not codes_of(e.content.get("verificationStatus")) & _UNTRUE]
    standing = [e for e in true if not codes_of(e.content.get("clinicalStatus")) & _OVER]
    said = [e for e in standing if not codes_of(e.content.get("verificationStatus")) & _OPEN]
    return Known(
        measured=newest_of(entries),
        pressures=tuple(pressures_of(entries)),
        hba1cs=tuple(hba1cs_of(entries)),
        exacerbations=tuple(day_of(e) for e in true if _concept(e.content.get("code"))[0][:5] in _EXACERBATED),
        problems=tuple((*_concept(e.content.get("code")), day_of(e)) for e in said),
        pregnancies=_pregnancies(entries, true, standing=said),
        onsets=tuple(
            day_of(e) for e in said if "hypertension" in problem_facts([(*_concept(e.content.get("code")), None)])
        ),
        # A form is read by more than those who may lift the veil: the doctor writes there what they must know.
        conditions=tuple(dict.fromkeys(_concept(e.content.get("code")) for e in true if not e.sensitive)),
        active=tuple(dict.fromkeys(_concept(e.content.get("code")) for e in standing if not e.sensitive)),
        report_title=_concept(report.get("code"))[1] if report else "",
        report_text=str(report.get("conclusion", "")) if report else "",
        report_code=_concept((report.get("conclusionCode") or [None])[0])[0] if report else "",
        report_on=next((day_of(e) for e in entries if f"{e.type}/{e.fhir_id}" == origin_reference), None),
        report_critical=_critical(report) if report else None,
        report_is_ecg=_is_ecg(report) if report else False,
    )


def _pregnancies(entries: list[Entry], true: list[Entry], *, standing: list[Entry]) -> tuple[Said, ...]:
    """What observations and problems say of it; a delivery that is over long since still ends the pregnancy before it."""
    observed = (pregnancy.from_observation(e.content, on=day_of(e)) for e in standing_observations(entries))
    named = ((*_concept(e.content.get("code")), day_of(e), e in standing) for e in true)
    problems = (
        said_by(code.upper(), text, on, affirmed=affirmed_in(text), standing=stands) for code, text, on, stands in named
    )
    return tuple(one for one in (*observed, *problems) if one is not None)


def up_facts(
    known: Known,
    *,
    birth_date: date,
    symptoms: list[str] | None,
    critical: bool,
    day: date,
    gender: str = "",
    impressions: Iterable[tuple[str, str]] = (),
    said: Said | None = None,
) -> dict[str, Fact]:
    """The facts of the up-referral criteria: what was measured, asked, reported, and is on the problem list.

    `impressions` (code, words) are what the doctor writes now, `said` what the form says of a pregnancy.
    """
    facts = _fresh(known.measured, _HOLDS, day=day)
    facts |= _course(known, age=age_on(birth_date, day), day=day)
    facts["age"] = Fact(value=age_on(birth_date, day), unit="岁", on=day)
    facts["age_days"] = Fact(value=(day - birth_date).days, unit="天", on=day)
    if symptoms is not None:
        facts["symptoms"] = Fact(value=frozenset(symptoms), on=day)
    reported = known.report_critical if holds(known.report_on, REPORT_HOLDS, day=day) else None
    if critical or reported is not None:
        facts["critical"] = Fact(
            value=critical or reported, on=day if critical or known.report_on is None else known.report_on
        )
    # The doctor's word that a patient is critical says nothing of the heart, and neither does the laboratory's.
    if reported is not None and known.report_is_ecg:
        facts["ecg_critical"] = Fact(value=reported, on=known.report_on or day)
    # An old problem that the form was filled in with is no word of today.
    old = {(code, words) for code, words, _on in known.problems}
    written = [(code, words, day) for code, words in impressions if (code, words) not in old]
    facts |= problem_facts([*known.problems, *written])
    told = (
        said_by(code.upper(), words, on, affirmed=affirmed_in(words)) for code, words, on in (*written, *known.problems)
    )
    facts |= pregnancy_facts(
        [*(one for one in told if one is not None), *known.pregnancies],
        now=said,
        gender=gender,
        age=age_on(birth_date, day),
        day=day,
    )
    onset = min((on for on in known.onsets if on >= birth_date), default=None)
    if "hypertension" in facts and (onset or facts["age"].value < YOUNG_ONSET):
        facts["onset_age"] = Fact(value=age_on(birth_date, onset or day), unit="岁", on=onset or day)
    return facts


def holds(on: date | None, period: timedelta, *, day: date) -> bool:
    """Whether something of a day still speaks on another; what has no day or lies ahead does not."""
    return on is not None and timedelta(0) <= day - on <= period


def _fresh(measured: Mapping[str, Fact], periods: Mapping[str, timedelta], *, day: date) -> dict[str, Fact]:
    return {name: fact for name, fact in measured.items() if holds(fact.on, periods.get(name, _SIGN_HOLDS), day=day)}


def _course(known: Known, *, age: int, day: date) -> dict[str, Fact]:
    """How a treatment went by what was measured: how often and how long above the goal without a break, and exacerbations of a year.

    One value above the goal is the beginning of nothing: it counts once, over no months.
    """
    facts: dict[str, Fact] = {}
    pressures = [one for one in known.pressures if one.on <= day]
    high = _run((one.on, _is_high(one, age=age)) for one in pressures)
    if pressures and holds(pressures[0].on, _COURSE_HOLDS, day=day):
        how = HOME if any(one.home for one in pressures if one.on in high) else ""
        facts["times_above_goal"] = Fact(value=_times(high), unit=gettext_noop("次"), on=pressures[0].on, how=how)
        facts["months_above_goal"] = Fact(value=_months(high), unit=gettext_noop("个月"), on=pressures[0].on, how=how)
    hba1cs = [(on, value) for on, value in known.hba1cs if on <= day]
    sweet = _run((on, value >= _HBA1C_GOAL) for on, value in hba1cs)
    if hba1cs and holds(hba1cs[0][0], _COURSE_HOLDS, day=day):
        facts["hba1c_months"] = Fact(value=_months(sweet), unit=gettext_noop("个月"), on=hba1cs[0][0])
    lately = episodes_of(on for on in known.exacerbations if holds(on, _YEAR, day=day))
    if lately:
        facts["exacerbations"] = Fact(value=len(lately), unit=gettext_noop("次"), on=lately[-1])
    return facts


def _is_high(pressure: Pressure, *, age: int) -> bool:
    systolic, diastolic = goal_of(age, home=pressure.home)
    return pressure.systolic >= systolic or pressure.diastolic >= diastolic


def _run(values: Iterable[tuple[date, bool]]) -> list[date]:
    """The days of the unbroken run of what is too high, newest first; several values of a day count as one, a good one ends the run."""
    days: list[date] = []
    for on, high in values:
        if not high:
            break
        if not days or days[-1] != on:
            days.append(on)
    return days


def _times(days: list[date]) -> int:
    """How many follow-ups the days of a run are, newest first."""
    counted: list[date] = []
    for on in days:
        if not counted or counted[-1] - on >= _APART:
            counted.append(on)
    return len(counted)


def _months(days: list[date]) -> int:
    return (days[0] - days[-1]).days // _MONTH if days else 0


def down_facts(known: Known, *, said: Mapping[str, Any], day: date) -> dict[str, Fact]:
    """The facts of going home: what was measured, and what the ward said on a day; a value of None stays unknown.

    What was measured long before that day says nothing of it, and what was measured after it is newer than what was said.
    """
    facts = {
        name: fact
        for name, fact in known.measured.items()
        if fact.on is not None and day - fact.on <= _HOLDS_AT_HOME.get(name, _SIGN_HOLDS)
    }
    units = {name: unit for name, unit, _ucum, _decimals in MEASURED.values()} | {
        "systolic": "mmHg",
        "diastolic": "mmHg",
    }
    newer = {name for name, fact in facts.items() if fact.on is not None and fact.on > day}
    facts.update(
        {
            name: Fact(value=value, unit=units.get(name, ""), on=day)
            for name, value in said.items()
            if value is not None and name not in newer
        }
    )
    return facts


def age_on(birth_date: date, day: date) -> int:
    """Whole years on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def packet_line(entry: Entry, *, day: date) -> dict[str, Any]:
    """How an entry of the record is named in the packet that travels, and whether its result is recognised on a day."""
    code, words = _concept(entry.content.get("code") or entry.content.get("type"))
    if entry.type.startswith("Medication"):
        code, words = "", _medicine(entry.content)
    title = str(words or entry.content.get("title") or entry.content.get("description") or entry.type)
    # The day of the examination, not of the report that was written about it.
    done = timezone.localtime(occurred_at(entry.content) or entry.occurred_at)
    return {
        "reference": f"{entry.type}/{entry.fhir_id}",
        "title": title,
        "at": done.isoformat(),
        "text": str(entry.content.get("conclusion", ""))[:120],
        "unit": entry.organization_id,
        "recognised": recognition.is_recognised(
            code=code, title=title, final=entry.content.get("status") in recognition.FINAL, on=done.date(), day=day
        )
        if entry.type == "DiagnosticReport"
        else None,
    }


def _taken(entry: Entry) -> bool:
    """Whether a medicine is taken now; what was stopped, put aside, finished or struck out is not, and what is veiled is not said."""
    return entry.type.startswith("Medication") and not entry.sensitive and entry.content.get("status") in _TAKEN


def _report(entries: list[Entry], reference: str) -> dict[str, Any] | None:
    kind, _slash, fhir_id = reference.partition("/")
    if kind != "DiagnosticReport":
        return None
    found = next((entry.content for entry in entries if entry.type == kind and entry.fhir_id == fhir_id), None)
    found = found or record.read(type=kind, fhir_id=fhir_id)
    # A report that was struck out was never written.
    return None if found is None or found.get("status") in ("entered-in-error", "cancelled") else found


def _concept(concept: dict[str, Any] | None) -> tuple[str, str]:
    """Code and words of a concept; its text wins over the display."""
    codings = (concept or {}).get("coding", [])
    first = codings[0] if codings else {}
    return str(first.get("code", "")), str((concept or {}).get("text") or first.get("display", ""))


def _medicine(content: dict[str, Any]) -> str:
    name = _concept(content.get("medicationCodeableConcept"))[1]
    dosage = content.get("dosage") or content.get("dosageInstruction") or []
    return f"{name} {dosage[0].get('text', '')}".strip() if dosage else name


def _allergy(entry: Entry) -> str:
    """The substance of an allergy that stands, "" for everything else: what was refuted is not passed on."""
    content = entry.content
    if entry.type != "AllergyIntolerance" or "refuted" in codes_of(content.get("verificationStatus")):
        return ""
    clinical = codes_of(content.get("clinicalStatus"))
    return _concept(content.get("code"))[1] if not clinical or "active" in clinical else ""


def _complaint(entry: Entry) -> str:
    """Why the patient came, of a visit of the last 24 hours that was not void; "" otherwise."""
    if entry.type != "Encounter" or entry.occurred_at < timezone.now() - _TODAY:
        return ""
    if entry.content.get("status") in ("cancelled", "entered-in-error"):
        return ""
    return _concept((entry.content.get("reasonCode") or [None])[0])[1].strip()


def _is_ecg(report: dict[str, Any]) -> bool:
    """Whether a report is one of an electrocardiogram: by LOINC, or called so by whoever sent it."""
    code, name = _concept(report.get("code"))
    return code in ("11524-6", "34534-8") or "心电" in name


def _critical(report: dict[str, Any]) -> bool:
    return any(
        one.get("url") == systems.CRITICAL_RESULT and bool(one.get("valueBoolean"))
        for one in report.get("extension", [])
    )
