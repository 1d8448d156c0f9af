"""What the record already knows of a patient: read once, to fill in the form and to judge the criteria."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from doorstep.care.referrals.rules import UpFacts
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.queries import Entry

_BLOOD_PRESSURE = "85354-9"
_SYSTOLIC = "8480-6"
_DIASTOLIC = "8462-4"
_PULSE = "8867-4"
_TYPES = (
    "Observation",
    "Condition",
    "MedicationStatement",
    "MedicationRequest",
    "DiagnosticReport",
    "AllergyIntolerance",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the record says: the newest pressure and pulse, conditions, medicines, and the report that started it."""

    systolic: int | None = None
    diastolic: int | None = None
    pulse: int | None = None
    conditions: tuple[tuple[str, str], ...] = ()
    medicines: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    report_title: str = ""
    report_text: str = ""
    report_code: str = ""
    report_critical: bool | None = None
    packet: tuple[dict[str, str], ...] = field(default_factory=tuple)


def known_of(*, resident_id: int, origin_reference: str, actor: Actor) -> Known:
    """Read the newest 100 entries of the record; the look is audited."""
    entries = record.timeline(resident_id=resident_id, actor=actor, limit=100, types=_TYPES)
    systolic, diastolic, pulse = _vitals(entries)
    report = _report(entries, origin_reference)
    return Known(
        systolic=systolic,
        diastolic=diastolic,
        pulse=pulse,
        conditions=tuple(dict.fromkeys(_concept(e.content.get("code")) for e in entries if e.type == "Condition")),
        medicines=tuple(dict.fromkeys(_medicine(e.content) for e in entries if e.type.startswith("Medication"))),
        allergies=tuple(dict.fromkeys(filter(None, map(_allergy, entries)))),
        report_title=_concept(report.get("code"))[1] if report else "",
        report_text=str(report.get("conclusion", "")) if report else "",
        report_code=_concept((report.get("conclusionCode") or [None])[0])[0] if report else "",
        report_critical=_critical(report) if report else None,
        packet=tuple(packet_line(entry) for entry in entries if entry.type == "DiagnosticReport"),
    )


def up_facts(known: Known, *, birth_date: date, symptoms: list[str] | None, critical: bool, day: date) -> UpFacts:
    """The facts of the up-referral criteria."""
    age = day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
    names = " ".join(name for _code, name in known.conditions)
    return UpFacts(
        age=age,
        systolic=known.systolic,
        diastolic=known.diastolic,
        symptoms=None if symptoms is None else frozenset(symptoms),
        ecg_critical=True if critical else known.report_critical,
        ecg_text=known.report_text[:60],
        hypertension=True if "高血压" in names or any(c.startswith("I10") for c, _n in known.conditions) else None,
    )


def packet_line(entry: Entry) -> dict[str, str]:
    """How an entry of the record is named in the packet that travels."""
    title = _concept(entry.content.get("code"))[1] or entry.type
    return {
        "reference": f"{entry.type}/{entry.fhir_id}",
        "title": title,
        "at": entry.occurred_at.isoformat(),
        "text": str(entry.content.get("conclusion", ""))[:120],
    }


def _report(entries: list[Entry], reference: str) -> dict[str, Any] | None:
    kind, _slash, fhir_id = reference.partition("/")
    if kind != "DiagnosticReport":
        return None
    found = next((entry.content for entry in entries if entry.type == kind and entry.fhir_id == fhir_id), None)
    return found or record.read(type=kind, fhir_id=fhir_id)


def _vitals(entries: list[Entry]) -> tuple[int | None, int | None, int | None]:
    systolic = diastolic = pulse = None
    for entry in entries:
        if entry.type != "Observation":
            continue
        codes = _codes(entry.content.get("code"))
        if _BLOOD_PRESSURE in codes and systolic is None:
            for part in entry.content.get("component", []):
                value = _number(part)
                systolic = value if _SYSTOLIC in _codes(part.get("code")) else systolic
                diastolic = value if _DIASTOLIC in _codes(part.get("code")) else diastolic
        elif _PULSE in codes and pulse is None:
            pulse = _number(entry.content)
    return systolic, diastolic, pulse


def _number(element: dict[str, Any]) -> int | None:
    value = element.get("valueQuantity", {}).get("value")
    return None if value is None else round(float(value))


def _codes(concept: dict[str, Any] | None) -> set[str]:
    return {str(one.get("code", "")) for one in (concept or {}).get("coding", [])}


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
    if entry.type != "AllergyIntolerance" or "refuted" in _codes(content.get("verificationStatus")):
        return ""
    clinical = _codes(content.get("clinicalStatus"))
    return _concept(content.get("code"))[1] if not clinical or "active" in clinical else ""


def _critical(report: dict[str, Any]) -> bool:
    return any(
        one.get("url") == systems.CRITICAL_RESULT and bool(one.get("valueBoolean"))
        for one in report.get("extension", [])
    )
