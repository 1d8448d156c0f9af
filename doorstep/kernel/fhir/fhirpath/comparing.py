"""Equality and order of FHIRPath values; what cannot be compared gives None."""

from datetime import datetime
from typing import Any

from doorstep.kernel.fhir.fhirpath.nodes import Node

_PRECISIONS = (4, 7, 10, 13, 16, 19)


def equal(left: Node, right: Node) -> bool:
    """Whether two nodes hold the same value."""
    first, second = left.value, right.value
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if (
        isinstance(first, str)
        and isinstance(second, str)
        and first != second
        and left.is_moment()
        and right.is_moment()
    ):
        return order(left, right) == 0
    return bool(first == second)


def order(left: Node, right: Node) -> int | None:
    """-1, 0 or 1; None when the two have no order (other units, other precision)."""
    first, second = left.value, right.value
    if isinstance(first, dict) and isinstance(second, dict):
        if (first.get("code") or first.get("unit")) != (second.get("code") or second.get("unit")):
            return None
        first, second = first.get("value"), second.get("value")
    if isinstance(first, str) and isinstance(second, str):
        if left.is_moment() and right.is_moment():
            return _moments(first, second)
        return (first > second) - (first < second)
    if _is_number(first) and _is_number(second):
        return int(first > second) - int(first < second)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moments(first: str, second: str) -> int | None:
    if len(first) > 19 and len(second) > 19:
        try:
            one, other = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (first, second))
            return int(one > other) - int(one < other)
        except (ValueError, TypeError):
            return None
    shorter = max((size for size in _PRECISIONS if size <= min(len(first), len(second))), default=4)
    head, tail = first[:shorter], second[:shorter]
    if head != tail:
        return 1 if head > tail else -1
    return 0 if len(first) == len(second) else None
