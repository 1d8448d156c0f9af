"""The registry of the left navigation; site fills it at start, each person sees what they may open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import HttpRequest

from doorstep.kernel.web.addressing import url_if_known


class Person(Protocol):
    """What the page frame asks of the request's actor."""

    @property
    def display_name(self) -> str: ...

    @property
    def organization_name(self) -> str: ...

    @property
    def role_label(self) -> str: ...

    def may(self, permission: str) -> bool:
        """Whether the person holds the permission somewhere."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the navigation. label is a Chinese msgid (lazy); permission None means everybody who is logged in."""

    label: Any
    icon: str
    url_name: str
    permission: str | None = None
    group: Any = ""
    # How much waits there; shown as a figure beside the label.
    count: Callable[[HttpRequest], int] | None = None
    # Paths of pages that belong to it and lie elsewhere.
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """An entry resolved for one request."""

    label: str
    icon: str
    address: str
    group: Any
    count: int
    active: bool


_entries: list[Entry] = []
_tabs: list[Entry] = []


def install(entries: Sequence[Entry], *, resident_tabs: Sequence[Entry] = ()) -> None:
    """Set the navigation of staff and the bottom tabs of the residents' pages; called once by site."""
    _entries[:] = entries
    _tabs[:] = resident_tabs


def links_for(request: HttpRequest, person: Person | None) -> list[Link]:
    """Return the staff navigation that this person may open, in the installed order."""
    return _resolved(_entries, request, person)


def belong_to(request: HttpRequest, address: str) -> None:
    """Let the navigation mark the entry of another address: a thing is opened from a list that its own address does not name."""
    request.belongs_to = address.partition("?")[0]  # type: ignore[attr-defined]


def grouped(links: Sequence[Link]) -> list[tuple[Any, list[Link]]]:
    """Return the links under their groups, groups in the order of their first link."""
    groups: dict[str, tuple[Any, list[Link]]] = {}
    for link in links:
        groups.setdefault(str(link.group), (link.group, []))[1].append(link)
    return list(groups.values())


def tabs_for(request: HttpRequest, person: Person | None) -> list[Link]:
    """Return the bottom tabs of the residents' pages."""
    return _resolved(_tabs, request, person)


def _resolved(entries: Sequence[Entry], request: HttpRequest, person: Person | None) -> list[Link]:
    if person is None:
        return []
    found = []
    for entry in entries:
        if entry.permission is not None and not person.may(entry.permission):
            continue
        # An entry may be listed before its app has a page.
        address = url_if_known(entry.url_name)
        if address is not None:
            found.append((entry, address))
    home = _home_of(getattr(request, "belongs_to", request.path), found)
    return [
        Link(
            label=str(entry.label),
            icon=entry.icon,
            address=address,
            group=entry.group,
            count=entry.count(request) if entry.count else 0,
            active=address == home,
        )
        for entry, address in found
    ]


def _home_of(path: str, found: Sequence[tuple[Entry, str]]) -> str | None:
    """The address of the entry that a page belongs to: the longest beginning of its path; the first page is only itself."""
    beginnings = [(start, address) for entry, address in found for start in (address, *entry.also)]
    fitting = [
        (len(start), address)
        for start, address in beginnings
        if path == start or (start != "/" and path.startswith(start))
    ]
    return max(fitting)[1] if fitting else None
