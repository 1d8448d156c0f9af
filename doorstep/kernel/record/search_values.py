"""Values of search parameters by type (hl7.org/fhir/R4/search.html): each becomes a term of record_search.

A wrong value is refused (400) with a sentence.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import Parameter
from doorstep.kernel.fhir.spans import FIRST, LAST, span
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.fhir.values import path_of
from doorstep.kernel.fhir.words import compared, plain
from doorstep.kernel.record.search_index import instant, number

Term = dict[str, Any]
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_UCUM = "http://unitsofmeasure.org"
# Types that few resources of a search point at each: who asks for one of them is answered with a handful.
_FEW = {
    "Patient", "Encounter", "ServiceRequest", "Task", "Appointment", "EpisodeOfCare", "CarePlan", "Specimen", "Observation",
    "DiagnosticReport", "Condition", "Procedure", "Composition", "MedicationRequest", "ImagingStudy", "Contract", "Consent",
}  # fmt: skip
_BROAD = {"category", "class"}
_FEW_TOKENS = {"identifier", "phone", "email", "telecom", "_id", "group-identifier", "requisition"}
_EARTH = 20_040_000.0
_UNITS_OF_LENGTH = {"km": 1000.0, "m": 1.0, "mi": 1609.344, "[mi_i]": 1609.344, "[mi_us]": 1609.347}


class Unsupported(Exception):
    """A parameter or modifier that this server does not know: an error or a warning, as the client prefers."""


# (type, url of a value set or "system|code", modifier) -> [(system, code)]; a code of "" stands for the whole system
Expand = Callable[[str, str], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What terms are built against: the address of this server, and how value sets and hierarchies are expanded."""

    base: str
    expand: Expand


def refused(sentence_zh: str, sentence_en: str) -> FhirRefused:
    """A search that cannot be answered as it is written."""
    return FhirRefused(400, "invalid", f"{sentence_zh} / {sentence_en}")


def split(text: str, mark: str) -> list[str]:
    """Parts of a value at a mark that no backslash stands before; the backslashes stay."""
    return re.split(rf"(?<!\\){re.escape(mark)}", text)


def unescaped(text: str) -> str:
    """A value without the backslashes that protect , | $ and themselves."""
    return re.sub(r"\\([\\,|$])", r"\1", text)


def _named(parameter: Parameter) -> int:
    return number(f"{parameter.type}.{parameter.code}")


def token(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A code, an identifier, a number of telecommunication, true or false."""
    name = f"{parameter.type}.{parameter.code}"
    if parameter.code == "_id":
        return {"k": "id", "v": [unescaped(value)], "few": True}
    if modifier == "text":
        return {"k": "word", "n": number(name), "v": plain(unescaped(value))}
    if modifier in ("of-type", "ofType"):
        parts = [unescaped(part).strip() for part in split(value, "|")]
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise refused(
                f"{parameter.code}:of-type 写作 system|code|value", f"{parameter.code}:of-type is system|code|value"
            )
        key = f"{name}:of-type|{parts[0]}|{parts[1].casefold()}|{parts[2].casefold()}"
        return {"k": "key", "v": [number(key)], "few": True}
    if modifier in ("in", "not-in", "above", "below"):
        pairs = setting.expand(unescaped(value), modifier.removeprefix("not-"))
        forms = [f"s|{system}|{code.casefold()}" if code else f"y|{system}" for system, code in pairs]
        return {"k": "key", "v": [number(f"{name}|{form}") for form in forms]} if forms else {"k": "none"}
    few = parameter.code in _FEW_TOKENS and not value.endswith("|")
    phone = any(path.endswith(":ContactPoint") for path in parameter.paths)
    key = f"{name}|{token_form(value, phone=phone)}"
    marks = {"few": True} if few else {"broad": True} if _is_broad(parameter) else {}
    return {"k": "key", "v": [number(key)], **marks}


def _is_broad(parameter: Parameter) -> bool:
    """Whether the values of a token are shared by many: what else is asked leads to the resources sooner."""
    return parameter.code in _BROAD or all(
        path_of(one).type in ("code", "boolean", "exists") for one in parameter.paths
    )


def token_form(value: str, *, phone: bool = False) -> str:
    """The form of a token that a value asks for; see search_facts."""
    parts = split(value, "|")
    code = unescaped("|".join(parts[1:]) if len(parts) > 1 else parts[0]).strip().casefold()
    if phone:
        code = "".join(one for one in code if one not in " -()")
    if len(parts) == 1:
        return f"c|{code}"
    system = unescaped(parts[0])
    if not code:
        return f"y|{system}"
    return f"s|{system}|{code}" if system else f"n|{code}"


def reference(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A resource by type and id, id alone, address or identifier."""
    name = f"{parameter.type}.{parameter.code}"
    if modifier == "identifier":
        return {"k": "key", "v": [number(f"{name}:identifier|{token_form(value)}")], "few": True}
    texts = list(addresses(parameter, modifier, unescaped(value), setting))
    kinds = {text.rpartition("/")[0].rpartition("/")[2] for text in texts}
    marks = {**({"few": True} if kinds <= _FEW else {}), **({"patient": True} if "Patient" in kinds else {})}
    return {"k": "link", "n": number(name), "v": [number(text) for text in texts], **marks}


def addresses(parameter: Parameter, type: str, value: str, setting: Setting) -> Iterator[str]:
    """Every way in which what is asked for may be written in a reference."""
    text = value.partition("/_history/")[0].removeprefix(setting.base)
    if "/" in text or ":" in text:
        if not type or text.startswith(f"{type}/") or "://" in text:
            yield text
        if "://" not in text and not text.startswith("urn:"):
            yield f"{setting.base}{text}"
        return
    for target in (type,) if type else parameter.targets or _FEW:
        yield f"{target}/{text}"


def date(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A date with its prefix; without a zone it is a day in China."""
    prefix, text = _prefixed(value)
    try:
        start, end = span(text)
    except (ValueError, OverflowError) as error:
        raise refused(f"{parameter.code} 的值 {value} 不是日期；写法如 ge2026-01-31", f"not a date: {value}") from error
    if prefix == "ap":
        margin = min(abs(timezone.now() - start) / 10, timedelta(days=9000))
        # The calendar of the machine has two ends.
        start, end = start - min(margin, start - FIRST), end + min(margin, LAST - end)
    asked = [prefix, instant(start), instant(end)]
    if parameter.code == "_lastUpdated":
        return {"k": "updated", "v": [asked]}
    return {"k": "date", "n": _named(parameter), "v": [asked], **({"single": True} if parameter.single else {})}


def _prefixed(value: str) -> tuple[str, str]:
    found = _PREFIX.fullmatch(unescaped(value))
    return (found[1] or "eq", found[2]) if found else ("eq", value)


def amount(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A number or a quantity with its prefix."""
    return {"k": "amount", "n": _named(parameter), **_bounds(parameter, value)}


def _bounds(parameter: Parameter, value: str) -> Term:
    """The bounds of a number and its unit: {"v": [prefix, value, from, to], …}."""
    parts = split(value, "|")
    prefix, text = _prefixed(parts[0])
    try:
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", text, re.ASCII):
            raise ValueError(text)
        asked = Decimal(text)
    except (ValueError, InvalidOperation) as error:
        raise refused(f"{parameter.code} 的值 {value} 不是数", f"{parameter.code}: not a number: {value}") from error
    # What the last written digit leaves open; a tenth for "about".
    exponent = int(asked.as_tuple().exponent)
    margin = abs(asked) / 10 if prefix == "ap" else Decimal(5).scaleb(exponent - 1)
    numbers = [asked, asked - margin, asked + margin]
    unit: Term = {}
    if len(parts) > 1 and parameter.kind == "quantity":
        system, code = (
            (unescaped("|".join(parts[1:-1])), unescaped(parts[-1])) if len(parts) > 2 else ("", unescaped(parts[1]))
        )
        base = canonical(code) if system == _UCUM else None
        if base:
            unit, numbers = {"base": number(base.name)}, [base.of(one) for one in numbers]
        elif system and code:
            unit = {"system_code": number(f"{system}|{code}")}
        elif code:
            unit = {"code": number(code), "unit": number(code.casefold())}
    elif len(parts) > 1:
        raise refused(f"{parameter.code} 是数，不带单位", f"{parameter.code} is a number without a unit")
    return {"v": [prefix, *(repr(float(one)) for one in numbers)], **unit}


def string(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A text that begins with, contains or exactly is what was asked."""
    value = unescaped(value)
    text = compared(parameter, value)
    if not text:
        raise refused(f"查询参数 {parameter.code} 的值为空", f"the value of {parameter.code} is empty")
    mode = modifier or "prefix"
    return {"k": "string", "n": _named(parameter), "m": mode, "v": text, **({"w": value} if mode == "exact" else {})}


def uri(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """An address: the same, below or above."""
    mode = {"": "equal", "below": "prefix", "above": "above"}[modifier]
    return {"k": "string", "n": _named(parameter), "m": mode, "v": unescaped(value)}


def near(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    """A place within a distance: latitude|longitude|distance|unit."""
    if parameter.code != "near":
        raise Unsupported(parameter.code)
    parts = unescaped(value).split("|")
    try:
        lat, lon = float(parts[0]), float(parts[1])
        distance = float(parts[2]) if len(parts) > 2 and parts[2] else 5.0
        metres = distance * _UNITS_OF_LENGTH[parts[3] if len(parts) > 3 and parts[3] else "km"]
        if not (-90 <= lat <= 90 and -180 <= lon <= 180 and 0 <= metres < _EARTH):
            raise ValueError(value)
    except (ValueError, IndexError, KeyError) as error:
        raise refused(
            "near 写作 纬度|经度|距离|单位，如 31.1|121.4|5|km", "near is latitude|longitude|distance|unit"
        ) from error
    return {"k": "near", "n": _named(parameter), "lat": lat, "lon": lon, "m": metres}
