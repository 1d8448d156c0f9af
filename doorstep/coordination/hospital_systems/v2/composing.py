"""Segments of the messages that we send (HL7 v2.3 to 2.5.1): escaped, in China's time, without trailing separators."""

from collections.abc import Sequence
from datetime import datetime

from doorstep.coordination.hospital_systems.v2.times import CHINA
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json

# What we call ourselves in MSH-3.
OURSELVES = "DOORSTEP"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": "\\.br\\"}
# The structure of a message, which MSH-9 names from 2.5 on (HL7 v2.5.1, table 0354), where it is not that of the event.
_STRUCTURES = {
    "ADT^A04": "ADT_A01", "ADT^A08": "ADT_A01", "ADT^A11": "ADT_A09", "ADT^A31": "ADT_A05", "ADT^A40": "ADT_A39",
    "SIU^S13": "SIU_S12", "SIU^S14": "SIU_S12", "SIU^S15": "SIU_S12", "SIU^S26": "SIU_S12",
}  # fmt: skip
_NAMING_STRUCTURES = frozenset({"2.5", "2.5.1"})
# 2.3 has no A40, which came with 2.3.1: it merges patients by A34.
_BEFORE_A40 = {"2.3": {"ADT^A40": "ADT^A34"}}
_GENDERS = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
_NUMBER_TYPES = {systems.NATIONAL_ID: ("GA", "NI"), systems.RECORD_NUMBER: (OURSELVES, "PI")}


def escaped(text: object) -> str:
    """A value with the separators of HL7 escaped."""
    return "".join(_ESCAPES.get(one, one) for one in str(text or ""))


def segment(name: str, **fields: object) -> str:
    """A segment: segment("PID", f3="…") writes PID-3; values are whole fields, already escaped where they are texts of others."""
    numbered = {int(key[1:]): str(value or "") for key, value in fields.items()}
    last = max((number for number, value in numbered.items() if value), default=0)
    return "|".join([name, *(numbered.get(number, "") for number in range(1, last + 1))])


def parts(*components: object) -> str:
    """Components of a field, each escaped."""
    return "^".join(escaped(one) for one in components).rstrip("^")


def stamp(text: str | datetime | None) -> str:
    """An instant of FHIR as an HL7 time in China; a date stays a date."""
    if not text:
        return ""
    if isinstance(text, str) and len(text) <= len("2026-01-01"):
        return text.replace("-", "")
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(CHINA).strftime("%Y%m%d%H%M%S")


def event_of(type: str, version: str) -> str:
    """A message's type and event as the version has it: "ADT^A40" is "ADT^A34" in 2.3."""
    return _BEFORE_A40.get(version, {}).get(type, type)


def msh(
    type: str, *, control_id: str, at: datetime, receiver: tuple[str, str], charset: str, version: str = "2.4"
) -> str:
    """MSH without its separators counted: the field numbers are those of the standard less one."""
    structure = _STRUCTURES.get(type, type.replace("^", "_")) if version in _NAMING_STRUCTURES else ""
    return segment(
        "MSH",
        f1="^~\\&",
        f2=OURSELVES,
        f4=escaped(receiver[0]),
        f5=escaped(receiver[1]),
        f6=stamp(at),
        f8=f"{type}^{structure}" if structure else type,
        f9=control_id,
        f10="P",
        f11=version,
        f16="CHN",
        f17=charset,
    )


def pid(patient: Json) -> str:
    """PID of a Patient."""
    numbers = [
        parts(one.get("value"), "", "", *_NUMBER_TYPES.get(str(one.get("system")), ("", "")))
        for one in patient.get("identifier", [])
    ]
    national = next(
        (one["value"] for one in patient.get("identifier", []) if one.get("system") == systems.NATIONAL_ID), ""
    )
    return segment(
        "PID",
        f1="1",
        f3="~".join(numbers),
        f5=escaped((patient.get("name") or [{}])[0].get("text")),
        f7=stamp(patient.get("birthDate")),
        f8=_GENDERS.get(str(patient.get("gender")), "U"),
        f11=escaped((patient.get("address") or [{}])[0].get("text")),
        f13=escaped((patient.get("telecom") or [{}])[0].get("value")),
        f19=escaped(national),
        f29=stamp(patient.get("deceasedDateTime")),
        f30="Y" if patient.get("deceasedDateTime") else "",
    )


def coded(concept: Json | None) -> str:
    """The first coding of a concept as CE: code, words, system."""
    codings: Sequence[Json] = (concept or {}).get("coding") or [{}]
    one = codings[0]
    names = {systems.LOINC: "LN", systems.ICD10: "I10"}
    name = names.get(str(one.get("system")), "L" if one.get("code") else "")
    return parts(one.get("code", ""), (concept or {}).get("text") or one.get("display", ""), name)
