"""The kinds of resources in a history: built once by the apps that own them, with marks for what differs by row."""

from functools import cache
from typing import Any

from doorstep.care.contracts.fhir import contract_resources
from doorstep.care.contracts.models import Contract
from doorstep.coordination.visits import fhir as visits
from doorstep.coordination.visits import states
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.observations import to_observations
from doorstep.coordination.visits.rules import SIGNS
from doorstep.demo.loading.shapes import AT, DAY, ENDED, LAST_DAY, OTHER, VALUE, Shape
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.terminology.reading import DATA, rows
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.coverage import to_coverage
from doorstep.people.residents.insurance import SELF_PAY
from doorstep.people.residents.models import Insurance, Resident
from doorstep.people.residents.patient import to_patient
from doorstep.people.workforce.models import Practitioner, Team

SYSTOLIC, DIASTOLIC = SIGNS["systolic"].code, SIGNS["diastolic"].code
ATC = "http://www.whocc.no/atc"
_LABORATORY = ("14771-0", "4548-4", "14647-2", "14927-8", "22748-8", "14646-4", "14682-9")
_TRACE = ("8625-6", "8633-0", "8634-8", "8636-3")
_MASS_INDEX = "39156-5"
_UNITS = {
    "4548-4": "%", "14682-9": "umol/L", _MASS_INDEX: "kg/m2", **dict.fromkeys(_TRACE, "ms"),
}  # fmt: skip
# Severe mental disorders are read only by who treats them.
_SENSITIVE_CODES = frozenset({"F20.900"})


def _resident(**facts: Any) -> Resident:
    return Resident(id=0, key="«patient»", name="«name»", **facts)


def _unit() -> Organization:
    return Organization(id=0, key="«unit»", name="«unit_name»")


def _visit(key: str) -> Visit:
    return Visit(
        key=key,
        state=states.FINISHED,
        created_at=AT,
        ended_at=ENDED,
        resident=_resident(),
        organization=_unit(),
        practitioner=Practitioner(id=0, key="«doctor»", name="«doctor_name»"),
        complaint="«complaint»",
    )


@cache
def patients() -> dict[int, Shape]:
    """By 2 for a national id and 1 for a death."""
    return {2 * known + dead: _patient(known=bool(known), dead=bool(dead)) for known in (0, 1) for dead in (0, 1)}


def _patient(*, known: bool, dead: bool) -> Shape:
    resident = _resident(
        national_id="«number»" if known else "",
        record_number="" if known else "«record»",
        phone="«phone»",
        address="«address»",
        gender="«gender»",
        birth_date=DAY,
        deceased_on=LAST_DAY if dead else None,
        created_at=AT,
    )
    return Shape(to_patient(resident, organization_key=_unit().key, organization_name="«unit_name»"))


@cache
def coverages(kinds: tuple[str, ...], place: str) -> dict[str, Shape]:
    """By kind of insurance, the cover that came with the register."""
    return {
        kind: Shape(
            to_coverage(
                Insurance(key="«id»", kind=kind, place="" if kind == SELF_PAY else place, recorded_at=AT),
                patient_key="«patient»",
                patient_name="«name»",
            )
        )
        for kind in kinds
    }


@cache
def encounter() -> Shape:
    """A finished visit."""
    return Shape(visits.to_resources(_visit("«id»"))[0])


@cache
def pressure() -> Shape:
    """A blood pressure, with the diastolic value in the column other."""
    return Shape(to_observations(_visit("«visit»"), {"systolic": VALUE, "diastolic": OTHER}, at=AT)[0])


@cache
def signs() -> dict[str, Shape]:
    """By LOINC code, every value that stands alone."""
    names = {row.code: (row.display_zh, row.display_en) for row in rows(DATA / "loinc.csv")}
    measured = {
        sign.code: Shape(to_observations(_visit("«visit»"), {name: VALUE}, at=AT)[0])
        for name, sign in SIGNS.items()
        if not sign.panel
    }
    others = dict.fromkeys(_LABORATORY, "laboratory") | dict.fromkeys(_TRACE, "procedure")
    others[_MASS_INDEX] = "vital-signs"
    return measured | {code: _finding(code, category, *names[code]) for code, category in others.items()}


def _finding(code: str, category: str, zh: str, en: str) -> Shape:
    """A value that no app of the house writes yet, in the form of one that it does."""
    published = to_observations(_visit("«visit»"), {"heart_rate": VALUE}, at=AT)[0]
    unit = _UNITS.get(code, "mmol/L")
    content = published.content | {
        "category": [elements.concept(systems.OBSERVATION_CATEGORY, category)],
        "code": elements.concept(systems.LOINC, code, en, zh),
        "valueQuantity": elements.quantity(VALUE, unit, unit),
    }
    return Shape(
        Published(
            content=content,
            organization_id=0,
            occurred_at=AT,
            episode=published.episode,
            category="ecg" if code in _TRACE else category,
        )
    )


@cache
def condition(code: str, name: str) -> Shape:
    """A diagnosis on the problem list."""
    content = {
        "resourceType": "Condition",
        "clinicalStatus": elements.concept(systems.CONDITION_CLINICAL, "active"),
        "code": elements.concept(systems.ICD10, code, name),
        "subject": elements.reference("Patient", "«patient»", "«name»"),
        "onsetDateTime": DAY.isoformat(),
        "recordedDate": DAY.isoformat(),
    }
    return _own(content, category="condition", sensitive=code in _SENSITIVE_CODES)


@cache
def medications() -> dict[int, Shape]:
    """By 2 for a psychiatric medicine and 1 for one that has ended."""
    return {
        2 * mental + ended: _medication(mental=bool(mental), ended=bool(ended)) for mental in (0, 1) for ended in (0, 1)
    }


def _medication(*, mental: bool, ended: bool) -> Shape:
    medicine: dict[str, Any] = {"coding": [elements.coding(ATC, "«atc»", "«medicine»")], "text": "«medicine»"}
    content = {
        "resourceType": "MedicationStatement",
        "status": "completed" if ended else "active",
        "medicationCodeableConcept": medicine,
        "subject": elements.reference("Patient", "«patient»", "«name»"),
        "effectivePeriod": elements.period(DAY, LAST_DAY if ended else None),
        "informationSource": elements.reference("Practitioner", "«doctor»", "«doctor_name»"),
        "dosage": [{"text": "«dosage»"}],
    }
    return _own(content, category="medication", sensitive=mental)


def _own(content: dict[str, Any], *, category: str, sensitive: bool) -> Shape:
    return Shape(Published(content=content, organization_id=0, occurred_at=AT, category=category, sensitive=sensitive))


@cache
def agreements() -> tuple[tuple[dict[str, Shape], str], ...]:
    """Contract, CareTeam and EpisodeOfCare by state, each with what its id ends in."""
    states_of = ("active", "expired", "terminated")
    made = {state: contract_resources(_contract(state)) for state in states_of}
    return tuple(
        ({state: Shape(made[state][position]) for state in states_of}, ending)
        for position, ending in ((0, ""), (1, "-team"), (2, "-care"))
    )


def _contract(state: str) -> Contract:
    return Contract(
        key="«contract»",
        state=state,
        resident=_resident(),
        organization=_unit(),
        secondary_hospital=Organization(id=0, key="«second»", name="«second_name»"),
        tertiary_hospital=Organization(id=0, key="«third»", name="«third_name»"),
        team=Team(id=0, name="«team_name»"),
        package_code="basic",
        starts_on=DAY,
        ends_on=LAST_DAY,
        signed_at=AT,
        created_at=AT,
    )
