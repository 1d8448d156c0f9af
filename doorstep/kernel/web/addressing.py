"""Addresses of named URLs, worked out once per shape: a page of fifty lines asks for the same few patterns."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse

# Stand-ins that no real key can equal; in the address they mark where the argument goes.
_MARKS: dict[type, Callable[[int], Any]] = {
    UUID: lambda place: UUID(int=0xD0025 << 100 | place),
    int: lambda place: 7_700_000_000_000_007 + place * 1_000_003,
}
_KEPT = 1024


def url(name: str, *arguments: Any, **keywords: Any) -> str:
    """Return the address of a named URL; raises NoReverseMatch when there is none.

    UUIDs and whole numbers are put into a remembered pattern; other arguments go the long way, because their converters
    may refuse them.
    """
    if not arguments and not keywords:
        return _pattern(settings.ROOT_URLCONF, get_script_prefix(), name, ())
    if keywords or not all(type(one) in _MARKS and (type(one) is UUID or one >= 0) for one in arguments):
        return reverse(name, args=arguments or None, kwargs=keywords or None)
    pattern = _pattern(settings.ROOT_URLCONF, get_script_prefix(), name, tuple(type(one) for one in arguments))
    return pattern.format(*arguments)


def url_if_known(name: str, *arguments: Any, **keywords: Any) -> str | None:
    """Return the address of a named URL, or None while no app serves it."""
    try:
        return url(name, *arguments, **keywords)
    except NoReverseMatch:
        return None


@lru_cache(maxsize=_KEPT)
def _pattern(urlconf: str, prefix: str, name: str, kinds: tuple[type, ...]) -> str:
    # urlconf and prefix are part of the key only: reverse reads both itself.
    marks = [_MARKS[kind](place) for place, kind in enumerate(kinds)]
    address = reverse(name, args=marks or None)
    if not marks:
        return address
    address = address.replace("{", "{{").replace("}", "}}")
    for place, mark in enumerate(marks):
        address = address.replace(str(mark), f"{{{place}}}")
    return address
