"""JSON of FHIR with decimals as they were written: 1.50 stays 1.50 (hl7.org/fhir/R4/json.html#decimal)."""

import json
from typing import Any

import orjson

from doorstep.kernel.fhir.decimals import Exact, decimal_text
from doorstep.kernel.fhir.outcome import FhirRefused

# What jsonb cannot hold, or what two readers would read differently.
_LARGEST = 2**53
_LONGEST = 400
_FURTHEST = 400


class Keeping(json.JSONDecoder):
    """Reads JSON of the record with decimals as they were written; whole numbers are made without leaving C."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Exact})


_read_kept = Keeping().decode


def loads(text: bytes | str) -> Any:
    """Read JSON; raises FhirRefused (400) with the place for what is not JSON or cannot be kept exactly."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(
            decoded, parse_float=_decimal, parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=_object
        )
        if "\\u0000" in decoded:
            _check_text(value)
        return value
    except (ValueError, RecursionError) as error:
        raise FhirRefused(400, "structure", f"不是合法的 JSON：{error} / not valid JSON") from error


def kept(text: str) -> Any:
    """Read JSON that the record holds already, decimals as they were written: it was checked when it came."""
    return _read_kept(text)


def dumps(value: Any) -> bytes:
    """Write JSON with every decimal as it was read; raises FhirRefused (400) for text that is not Unicode."""
    try:
        return orjson.dumps(value, default=decimal_text)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise FhirRefused(400, "structure", f"内容不能写成 JSON：{error} / cannot be written as JSON") from error


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal to the last zero of every decimal, in any order of their members."""
    options = orjson.OPT_SORT_KEYS
    return orjson.dumps(left, default=decimal_text, option=options) == orjson.dumps(
        right, default=decimal_text, option=options
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once: of two values one reader takes the first, another the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice[:40]}" stands twice in one object')
    return found


def _decimal(text: str) -> Exact:
    # An exponent of thousands would fill a page with zeros in the database.
    exponent = text.lower().partition("e")[2]
    if len(text) > _LONGEST or (exponent and abs(int(exponent)) > _FURTHEST):
        raise ValueError(f"{text[:40]} is too long a number")
    return Exact(text)


def _whole(text: str) -> Any:
    number = int(text) if len(text) < len(str(_LARGEST)) + 1 else _LARGEST
    return number if -_LARGEST < number < _LARGEST else _decimal(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _check_text(value: Any) -> None:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a text holds the character U+0000")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_text(name)
            _check_text(part)
    elif isinstance(value, list):
        for part in value:
            _check_text(part)
