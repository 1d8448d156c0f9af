"""The primitive types of R4 (hl7.org/fhir/R4/datatypes.html#primitive): whether a JSON value is one of them."""

import binascii
import functools
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from doorstep.kernel.fhir.decimals import Exact

_DATE = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_FULL_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_PATTERNS = {
    "date": re.compile(_DATE),
    "dateTime": re.compile(rf"{_DATE}|{_FULL_DATE}T{_CLOCK}{_ZONE}"),
    "instant": re.compile(rf"{_FULL_DATE}T{_CLOCK}{_ZONE}"),
    "time": re.compile(_CLOCK),
    "code": re.compile(r"[^ \t\r\n\f\v]+( [^ \t\r\n\f\v]+)*"),
    "id": re.compile(r"[A-Za-z0-9\-.]{1,64}"),
    "oid": re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"),
    "uuid": re.compile(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}
_ADDRESS = re.compile(r"[^ \t\r\n]+")
_LONGEST_TEXT = 1024 * 1024
_INTEGER = 2**31
_NUMBERS = frozenset({int, float, Exact})


def fault_of(kind: str, value: Any) -> str:
    """What is wrong with a value of a primitive type, "" when nothing is."""
    return _CHECKS[kind](kind, value)


def acceptor(kind: str, codes: frozenset[str] | None) -> Callable[[Any], bool] | None:
    """A quick test that only says yes to what is surely right; what it does not say yes to is looked at by `fault_of`.

    `codes`: those of a required binding. None for what there is no quick test for.
    """
    if codes is not None:
        # A code of the set is written as codes are.
        return lambda value: type(value) is str and value in codes
    pattern = (
        _PATTERNS.get(kind) if kind in ("code", "id", "uuid", "oid") else _ADDRESS if _CHECKS[kind] is _uri else None
    )
    if pattern is not None:
        matches = pattern.fullmatch
        return lambda value: type(value) is str and matches(value) is not None
    return _ACCEPTORS.get(kind)


def _boolean(kind: str, value: Any) -> str:
    return "" if isinstance(value, bool) else _not(kind, value)


def _decimal(kind: str, value: Any) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else _not(kind, value)


def _integer(kind: str, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return _not(kind, value)
    least = {"integer": -_INTEGER, "unsignedInt": 0, "positiveInt": 1}[kind]
    return "" if least <= value < _INTEGER else _not(kind, value)


def _text(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        return _not(kind, value)
    if not value:
        return "不能是空文本 / must not be empty"
    if len(value) > _LONGEST_TEXT and kind != "xhtml":
        return "超过 1 MB / longer than 1 MB"
    return ""


def _patterned(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        return _not(kind, value)
    return "" if _PATTERNS[kind].fullmatch(value) else _not(kind, value)


def _moment(kind: str, value: Any) -> str:
    fault = _patterned(kind, value)
    if fault or len(value) < len("2026-01-01"):
        return fault
    return "" if _is_day(value[:10]) else _not(kind, value)


def _uri(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        return _not(kind, value)
    return "" if _ADDRESS.fullmatch(value) else _not(kind, value)


def _base64(kind: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        return _not(kind, value)
    try:
        binascii.a2b_base64(re.sub(r"\s", "", value), strict_mode=True)
    except (binascii.Error, ValueError):
        return _not(kind, value)
    return ""


@functools.lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _not(kind: str, value: Any) -> str:
    shown = str(value)
    return f"{shown[:60]!r} 不是合法的 {kind} / is not a valid {kind}"


_CHECKS: dict[str, Callable[[str, Any], str]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "integer": _integer,
    "positiveInt": _integer,
    "unsignedInt": _integer,
    "string": _text,
    "markdown": _text,
    "xhtml": _text,
    "base64Binary": _base64,
    "uri": _uri,
    "url": _uri,
    "canonical": _uri,
    "date": _moment,
    "dateTime": _moment,
    "instant": _moment,
    "time": _patterned,
    "code": _patterned,
    "id": _patterned,
    "oid": _patterned,
    "uuid": _patterned,
}
_ACCEPTORS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str and 0 < len(value) <= _LONGEST_TEXT,
    "markdown": lambda value: type(value) is str and 0 < len(value) <= _LONGEST_TEXT,
    "boolean": lambda value: value is True or value is False,
    "decimal": lambda value: type(value) in _NUMBERS,
}
