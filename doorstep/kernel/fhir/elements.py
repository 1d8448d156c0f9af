"""Builders of FHIR R4 elements (hl7.org/fhir/R4/datatypes.html): plain dicts without empty parts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from doorstep.kernel.fhir import systems

Json = dict[str, Any]


def coding(system: str, code: str, display: str = "") -> Json:
    """A Coding."""
    return compact({"system": system, "code": code, "display": display})


def concept(system: str, code: str, display: str = "", text: str = "") -> Json:
    """A CodeableConcept of one coding."""
    return compact({"coding": [coding(system, code, display)], "text": text or display})


def text_concept(text: str) -> Json:
    """A CodeableConcept that has only words."""
    return {"text": text}


def reference(type: str, key: UUID | str, display: str = "") -> Json:
    """A literal Reference to a resource of this server."""
    return compact({"reference": f"{type}/{key}", "type": type, "display": display})


def file_address(key: UUID | str) -> str:
    """What an Attachment says of a file of this server: relative to the interface (hl7.org/fhir/R4/datatypes.html#Attachment)."""
    return f"Binary/{key}"


def identifier(system: str, value: str) -> Json:
    """An Identifier."""
    return {"system": system, "value": value}


def quantity(value: Decimal | float | int, unit: str, code: str = "") -> Json:
    """A Quantity in UCUM."""
    number = float(value) if isinstance(value, Decimal) else value
    return {"value": number, "unit": unit, "system": systems.UCUM, "code": code or unit}


def instant(moment: datetime) -> str:
    """An instant or dateTime with its zone."""
    return moment.isoformat(timespec="seconds")


def period(start: datetime | date | None, end: datetime | date | None = None) -> Json:
    """A Period."""
    return compact({"start": _moment(start), "end": _moment(end)})


def extension(url: str, **value: Any) -> Json:
    """An Extension: extension(url, valueBoolean=True)."""
    return {"url": url, **value}


def compact(parts: Json) -> Json:
    """The same without empty texts, lists, objects and None; FHIR allows no empty element."""
    return {name: value for name, value in parts.items() if value not in (None, "", [], {})}


def _moment(value: datetime | date | None) -> str | None:
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if value else None
