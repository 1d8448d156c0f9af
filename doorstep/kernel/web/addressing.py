"""Addresses of named URLs, worked out once per shape: a page of fifty lines asks for the same few patterns."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse

# Stand-ins that no real key can equal; in the address they mark where the argument goes.
_MARKS: dict[type, Callable[[int], Any]] = {
    UUID: lambda place: UUID(int=0xD0025 << 100 | place),
    int: lambda place: 7_700_000_000_000_007 + place * 1_000_003,
}
# By URL table, name and kinds of arguments. All pages of a process stand below one prefix (FORCE_SCRIPT_NAME), which the address holds.
_patterns: dict[tuple[Any, ...], str] = {}


def url(name: str, *arguments: Any, **keywords: Any) -> str:
    """Return the address of a named URL; raises NoReverseMatch when there is none.

    UUIDs and whole numbers are put into a remembered pattern; other arguments go the long way, because their converters
    may refuse them.
    """
    if keywords:
        return reverse(name, args=arguments or None, kwargs=keywords)
    place = (settings.ROOT_URLCONF, name, *map(type, arguments))
    pattern = _patterns.get(place)
    if pattern is None:
        pattern = _pattern(name, arguments)
        if pattern is None:
            return reverse(name, args=arguments)
        _patterns[place] = pattern
    if not arguments:
        return pattern
    if int in place and any(type(one) is int and one < 0 for one in arguments):
        return reverse(name, args=arguments)
    return pattern.format(*arguments)


def url_if_known(name: str, *arguments: Any, **keywords: Any) -> str | None:
    """Return the address of a named URL, or None while no app serves it."""
    try:
        return url(name, *arguments, **keywords)
    except NoReverseMatch:
        return None


def _pattern(name: str, arguments: tuple[Any, ...]) -> str | None:
    """The address with places for its arguments; None when only the converters know what becomes of one."""
    if not all(type(one) in _MARKS for one in arguments):
        return None
    marks = [_MARKS[type(one)](place) for place, one in enumerate(arguments)]
    address = reverse(name, args=marks or None)
    if not marks:
        return address
    address = address.replace("{", "{{").replace("}", "}}")
    for place, mark in enumerate(marks):
        address = address.replace(str(mark), f"{{{place}}}")
    return address
