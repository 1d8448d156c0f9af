"""Pictures of an entry that other apps can draw: the site says which, by the entry's content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preview:
    """An element of a script: `element` is the custom element, `asset` brings it, `source` is where it reads."""

    element: str
    asset: str
    source: str


Find = Callable[[Mapping[str, Any]], Preview | None]
_find: list[Find] = []


def install(find: Find) -> None:
    """Wire what draws entries; the last one counts."""
    _find[:] = [find]


def preview_of(content: Mapping[str, Any]) -> Preview | None:
    """What draws this entry, None when nothing does."""
    return _find[0](content) if _find else None
