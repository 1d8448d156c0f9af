"""What a FHIR R4 Patient says of a person (hl7.org/fhir/R4/patient.html), each fact with the place where it stands."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from doorstep.kernel.fhir import systems
from doorstep.people.residents import documents

_PASSPORT = systems.PASSPORT.format(country="")
_BEYOND_LATIN = "\u2e80"


@dataclass(slots=True)
class Given:
    """The facts of a Patient; what it does not say is empty. `places`: fact -> expression of its element."""

    name: str = ""
    birth_date: date | None = None
    gender: str = ""
    number: str = ""
    document: str = documents.NATIONAL_ID
    country: str = ""
    phone: str = ""
    address: str = ""
    mother_number: str = ""
    birth_order: int = 1
    places: dict[str, str] = field(default_factory=dict)

    def place(self, fact: str) -> str:
        """Where a fact stands, or would stand."""
        return self.places.get(fact) or _PLACES.get(fact, "Patient")


_PLACES = {
    "name": "Patient.name",
    "birth_date": "Patient.birthDate",
    "gender": "Patient.gender",
    "number": "Patient.identifier",
    "country": "Patient.identifier",
    "phone": "Patient.telecom",
    "address": "Patient.address",
    "mother_number": "Patient.extension",
}


def read_patient(resource: dict[str, Any]) -> Given:
    """Read a Patient that is valid against R4. Numbers of systems that are no identity document are passed over."""
    given = Given(gender=str(resource.get("gender", "")))
    try:
        given.birth_date = date.fromisoformat(str(resource.get("birthDate", "")))
    except ValueError:
        given.birth_date = None
    _read_number(given, _objects(resource, "identifier"))
    _read_name(given, _objects(resource, "name"))
    _read_contact(given, resource)
    for position, one in enumerate(_objects(resource, "extension")):
        if one.get("url") == systems.MOTHER_NUMBER:
            given.mother_number = documents.clean(str(one.get("valueString", "")))
            given.places["mother_number"] = f"Patient.extension[{position}]"
    order = resource.get("multipleBirthInteger")
    given.birth_order = order if isinstance(order, int) and 1 <= order <= 9 else 1
    return given


def numbers_of(resource: dict[str, Any]) -> set[tuple[str, str]]:
    """The identity documents that a Patient names: (system, number), without those that are said to be old."""
    return {
        (str(one["system"]), documents.clean(str(one["value"])))
        for one in _objects(resource, "identifier")
        if _document(str(one.get("system", ""))) and one.get("value") and one.get("use") != "old"
    }


def _read_number(given: Given, identifiers: list[dict[str, Any]]) -> None:
    """The document by which a person is known here: the national id before others."""
    found = []
    for position, one in enumerate(identifiers):
        known = _document(str(one.get("system", "")))
        if known and one.get("value") and one.get("use") != "old":
            found.append((known[0] != documents.NATIONAL_ID, position, known, str(one["value"])))
    if found:
        _, position, (given.document, given.country), number = min(found)
        given.number = documents.clean(number)
        given.places["number"] = f"Patient.identifier[{position}].value"
        given.places["country"] = f"Patient.identifier[{position}].system"


def _document(system: str) -> tuple[str, str] | None:
    """The kind of document that a system numbers, and the country of a passport."""
    kinds = {
        systems.NATIONAL_ID: documents.NATIONAL_ID,
        systems.HMT_PERMIT: documents.HMT_PERMIT,
        systems.FOREIGN_PERMIT: documents.FOREIGN_PERMIT,
    }
    if system in kinds:
        return kinds[system], ""
    if system.startswith(_PASSPORT):
        return documents.PASSPORT, system.removeprefix(_PASSPORT).upper()
    return None


def _read_name(given: Given, names: list[dict[str, Any]]) -> None:
    """The official name, or the first that is not an old one; Chinese parts are joined without a space."""
    current = [(position, one) for position, one in enumerate(names) if one.get("use") not in ("old", "maiden")]
    current.sort(key=lambda pair: pair[1].get("use") != "official")
    for position, one in current:
        parts = [str(one.get("family", "")), *(str(part) for part in one.get("given", []))]
        joint = "" if all(part >= _BEYOND_LATIN for part in parts if part) else " "
        text = str(one.get("text", "")).strip() or joint.join(part for part in parts if part)
        if text:
            given.name = text
            given.places["name"] = f"Patient.name[{position}]"
            return


def _read_contact(given: Given, resource: dict[str, Any]) -> None:
    for position, one in enumerate(_objects(resource, "telecom")):
        digits = "".join(character for character in str(one.get("value", "")) if character not in " -()")
        if one.get("system") == "phone" and one.get("use") != "old" and digits and not given.phone:
            given.phone = digits.removeprefix("+86")
            given.places["phone"] = f"Patient.telecom[{position}].value"
    for position, one in enumerate(_objects(resource, "address")):
        parts = [str(one.get(name, "")) for name in ("state", "city", "district")]
        text = str(one.get("text", "")) or "".join([*parts, *(str(line) for line in one.get("line", []))])
        if one.get("use") != "old" and text and not given.address:
            given.address = text
            given.places["address"] = f"Patient.address[{position}]"


def _objects(resource: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = resource.get(name, [])
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []
