"""Search parameters as terms: JSON that record_search (sql/3_page.sql) turns into conditions, values apart from SQL.

Rules of values, prefixes and modifiers: hl7.org/fhir/R4/search.html. A wrong value is refused (400) with a sentence.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from django.utils import timezone

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import Parameter, parameters
from doorstep.kernel.fhir.spans import span
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.fhir.words import plain, spoken
from doorstep.kernel.record.search_facts import indexed
from doorstep.kernel.record.search_index import instant, number, small

Term = dict[str, Any]
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_UCUM = "http://unitsofmeasure.org"
_MODIFIERS = {
    "token": {"text", "not", "in", "not-in", "above", "below", "of-type", "ofType"},
    "string": {"exact", "contains"},
    "reference": {"identifier"},
    "uri": {"above", "below"},
}
# Types that few resources of a search point at each: who asks for one of them is answered with a handful.
_FEW = {
    "Patient", "Encounter", "ServiceRequest", "Task", "Appointment", "EpisodeOfCare", "CarePlan", "Specimen", "Observation",
    "DiagnosticReport", "Condition", "Procedure", "Composition", "MedicationRequest", "ImagingStudy", "Contract", "Consent",
}  # fmt: skip
_FEW_TOKENS = {"identifier", "phone", "email", "telecom", "_id", "group-identifier", "requisition"}
_LONGEST = 2000
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


def term_of(parameter: Parameter, modifier: str, text: str, setting: Setting) -> Term:
    """The term of one parameter with its modifier and its values, of which any may hold."""
    name = f"{parameter.code}:{modifier}" if modifier else parameter.code
    if not text or len(text) > _LONGEST:
        raise refused(f"查询参数 {name} 的值为空或过长", f"the value of {name} is empty or too long")
    if modifier == "missing":
        return _missing(parameter, name, text)
    if parameter.kind == "reference" and modifier and modifier not in _MODIFIERS["reference"]:
        if not modifier[0].isupper():
            raise Unsupported(name)
    elif modifier and modifier not in _MODIFIERS.get(parameter.kind, ()):
        raise Unsupported(name)
    if parameter.like:
        return _joined([_like(parameter, other, target, modifier, text, setting) for other, target in parameter.like])
    values = split(text, ",")
    if any(not value for value in values):
        raise refused(f"查询参数 {name} 的值中有空项", f"an empty value in {name}")
    if parameter.kind == "token" and modifier in ("not", "not-in"):
        return {"k": "not", "c": _joined([_value(parameter, modifier, value, setting) for value in values])}
    return _joined([_value(parameter, modifier, value, setting) for value in values])


def _like(parameter: Parameter, other: str, target: str, modifier: str, text: str, setting: Setting) -> Term:
    if parameter.kind == "reference" and target and modifier in ("", target):
        kept = [value for value in split(text, ",") if "/" not in value or value.rpartition("/")[0].endswith(target)]
        if not kept:
            return {"k": "none"}
        return term_of(parameters(parameter.type)[other], target, ",".join(kept), setting)
    if parameter.kind == "reference" and target and modifier != "identifier":
        return {"k": "none"}
    return term_of(parameters(parameter.type)[other], modifier, text, setting)


def _missing(parameter: Parameter, name: str, text: str) -> Term:
    if text not in ("true", "false"):
        raise refused(f"{name} 应为 true 或 false", f"{name} must be true or false")
    if parameter.code in ("_id", "_lastUpdated"):
        return {"k": "none"} if text == "true" else {"k": "and", "c": []}
    term: Term = {"k": "present", "v": small(f"{parameter.type}.{parameter.code}")}
    return {"k": "not", "c": term} if text == "true" else term


def _joined(terms: Iterable[Term]) -> Term:
    """Terms of which any may hold; those that look into the same index under the same name become one."""
    merged: list[Term] = []
    for term in terms:
        for one in merged:
            same = one["k"] == term["k"] and one.get("n") == term.get("n") and one.get("few") == term.get("few")
            if same and term["k"] in ("key", "link", "id"):
                one.update({**term, "v": [*one["v"], *term["v"]]})
                break
        else:
            merged.append(dict(term))
    if len(merged) == 1:
        return merged[0]
    return {"k": "or", "c": merged, **({"few": True} if merged and all(one.get("few") for one in merged) else {})}


def _value(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    match parameter.kind:
        case "token":
            return _token(parameter, modifier, value, setting)
        case "reference":
            return _reference(parameter, modifier, value, setting)
        case "date":
            return _date(parameter, value)
        case "number" | "quantity":
            return {"k": "amount", "n": _named(parameter), **_amount(parameter, value)}
        case "string":
            return _string(parameter, modifier, unescaped(value))
        case "uri":
            mode = {"": "equal", "below": "prefix", "above": "above"}[modifier]
            return {"k": "string", "n": _named(parameter), "m": mode, "v": unescaped(value)}
        case "composite":
            return _composite(parameter, value, setting)
        case "special" if parameter.code == "near":
            return _near(parameter, value)
        case _:
            raise Unsupported(parameter.code)


def _named(parameter: Parameter) -> int:
    return number(f"{parameter.type}.{parameter.code}")


def _token(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
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
    key = f"{name}|{_token_form(value, phone=phone)}"
    return {"k": "key", "v": [number(key)], **({"few": True} if few else {})}


def _token_form(value: str, *, phone: bool = False) -> str:
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


def _reference(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Term:
    name = f"{parameter.type}.{parameter.code}"
    if modifier == "identifier":
        return {"k": "key", "v": [number(f"{name}:identifier|{_token_form(value)}")], "few": True}
    texts = list(_addresses(parameter, modifier, unescaped(value), setting))
    kinds = {text.rpartition("/")[0].rpartition("/")[2] for text in texts}
    marks = {**({"few": True} if kinds <= _FEW else {}), **({"patient": True} if "Patient" in kinds else {})}
    return {"k": "link", "n": number(name), "v": [number(text) for text in texts], **marks}


def _addresses(parameter: Parameter, type: str, value: str, setting: Setting) -> Iterator[str]:
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


def _date(parameter: Parameter, value: str) -> Term:
    prefix, text = _prefixed(value)
    try:
        start, end = span(text)
    except (ValueError, OverflowError) as error:
        raise refused(f"{parameter.code} 的值 {value} 不是日期；写法如 ge2026-01-31", f"not a date: {value}") from error
    if prefix == "ap":
        margin = abs(timezone.now() - start) / 10
        start, end = start - min(margin, timedelta(days=9000)), end + min(margin, timedelta(days=9000))
    asked = [prefix, instant(start), instant(end)]
    if parameter.code == "_lastUpdated":
        return {"k": "updated", "v": [asked]}
    return {"k": "date", "n": _named(parameter), "v": [asked], **({"single": True} if parameter.single else {})}


def _prefixed(value: str) -> tuple[str, str]:
    found = _PREFIX.fullmatch(unescaped(value))
    return (found[1] or "eq", found[2]) if found else ("eq", value)


def _amount(parameter: Parameter, value: str) -> Term:
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


def _string(parameter: Parameter, modifier: str, value: str) -> Term:
    text = spoken(value) if parameter.code == "phonetic" else plain(value)
    if not text:
        raise refused(f"查询参数 {parameter.code} 的值为空", f"the value of {parameter.code} is empty")
    mode = modifier or "prefix"
    return {"k": "string", "n": _named(parameter), "m": mode, "v": text, **({"w": value} if mode == "exact" else {})}


def _near(parameter: Parameter, value: str) -> Term:
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


def _composite(parameter: Parameter, value: str, setting: Setting) -> Term:
    parts = split(value, "$")
    if len(parts) != len(parameter.components) or not all(parts):
        names = "$".join(code for code, _ in parameter.components)
        raise refused(f"{parameter.code} 写作 {names}", f"{parameter.code} is {names}")
    table = parameters(parameter.type)
    if not indexed(parameter):
        found = [
            term_of(table[code], "", part, setting) for (code, _), part in zip(parameter.components, parts, strict=True)
        ]
        return {"k": "and", "c": found}
    firsts = [
        [f"r|{text}" for text in _addresses(table[code], "", unescaped(part), setting)]
        if kind == "reference"
        else [_token_form(part)]
        for (code, kind), part in zip(parameter.components[:-1], parts[:-1], strict=True)
    ]
    names = ["|".join((f"{parameter.type}.{parameter.code}", *chosen)) for chosen in product(*firsts)]
    code, kind = parameter.components[-1]
    last = table.get(code) or parameter
    return _joined(_composite_last(last, kind, name, parts[-1], setting) for name in names)


def _composite_last(last: Parameter, kind: str, name: str, value: str, setting: Setting) -> Term:
    match kind:
        case "token":
            return {"k": "key", "v": [number(f"{name}|{_token_form(value)}")]}
        case "reference":
            return {
                "k": "key",
                "v": [number(f"{name}|r|{text}") for text in _addresses(last, "", unescaped(value), setting)],
            }
        case "date":
            return {**_date(last, value), "n": number(name)}
        case "number" | "quantity":
            return {"k": "amount", "n": number(name), **_amount(last, value)}
        case _:
            return {**_string(last, "", unescaped(value)), "n": number(name)}
