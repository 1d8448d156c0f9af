"""What the frame around a page shows: who is here, where they can go, what waits for them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.navigation import Link, Person, grouped, links_for, tabs_for

# A worker that was killed is back within a minute, also on a busy machine.
SILENCE_SECONDS = 90
_STARTED = time.monotonic()


@dataclass(frozen=True, kw_only=True)
class PostChoice:
    """A post that the person may act in; key is what the switch form sends back."""

    key: str
    label: str
    current: bool


@dataclass(frozen=True)
class QuickAct:
    """A button of the first page: words (lazy msgid), icon, URL name, and the permission that shows it."""

    label: Any
    icon: str
    url_name: str
    permission: str


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What site wires into the frame; URL names may be absent while no app serves them."""

    posts: Callable[[HttpRequest], Sequence[PostChoice]] = lambda request: ()
    unread: Callable[[HttpRequest], int] = lambda request: 0
    search_permission: str | None = None
    search_url_name: str = "residents:find"
    switch_url_name: str = "posts:switch"
    notices_url_name: str = "notices:inbox"
    # Where somebody names a deputy for days off, shown to who holds the permission.
    leave_permission: str | None = None
    leave_url_name: str = "workforce:leave"
    # Who holds one of these may be alarmed by sound, and is told when the browser keeps silent.
    alarm_permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Shell:
    """The frame of one request."""

    person: Person | None
    groups: list[tuple[Any, list[Link]]]
    tabs: list[Link]
    posts: Sequence[PostChoice]
    unread: int
    search_address: str | None
    switch_address: str | None
    notices_address: str | None
    leave_address: str | None
    alarmed: bool
    live_address: str
    large_type: bool
    # For how many minutes nobody has been warned and nothing handed on; 0 when all is well.
    clocks_stand_for: int


_sources = [Sources()]


def install(sources: Sources) -> None:
    """Set what the frame asks; called once by site."""
    _sources[0] = sources


def shell_of(request: HttpRequest) -> Shell:
    """Return the frame of this request; built once, also when page and part both ask."""
    made = getattr(request, "_doorstep_shell", None)
    if made is None:
        made = _build(request)
        request._doorstep_shell = made  # type: ignore[attr-defined]
    return cast("Shell", made)


def person_of(request: HttpRequest) -> Person | None:
    """Return the actor when somebody is logged in, otherwise None."""
    actor = getattr(request, "actor", None)
    user = getattr(request, "user", None)
    if actor is None or user is None or not user.is_authenticated:
        return None
    return cast("Person", actor)


def live_origin(request: HttpRequest) -> str:
    """Return where the live process answers: "" for the page's own origin.

    settings.LIVE_URL may be an origin or only a port such as ":8001", which then follows the host name that the person
    typed, because cookies are bound to the host name and not to the port.
    """
    configured: str = settings.LIVE_URL
    if configured.startswith(":"):
        name = urlsplit(f"//{request.get_host()}").hostname or "127.0.0.1"
        return f"{request.scheme}://{f'[{name}]' if ':' in name else name}{configured}"
    return configured.rstrip("/")


def _build(request: HttpRequest) -> Shell:
    sources, person = _sources[0], person_of(request)
    may_search = person is not None and (
        sources.search_permission is not None and person.may(sources.search_permission)
    )
    may_leave = person is not None and sources.leave_permission is not None and person.may(sources.leave_permission)
    return Shell(
        person=person,
        groups=grouped(links_for(request, person)),
        tabs=tabs_for(request, person),
        posts=sources.posts(request) if person else (),
        unread=sources.unread(request) if person else 0,
        search_address=url_if_known(sources.search_url_name) if may_search else None,
        switch_address=url_if_known(sources.switch_url_name),
        notices_address=url_if_known(sources.notices_url_name),
        leave_address=url_if_known(sources.leave_url_name) if may_leave else None,
        alarmed=person is not None and any(person.may(one) for one in sources.alarm_permissions),
        live_address=f"{live_origin(request)}/live/events" if person else "",
        large_type=request.COOKIES.get("large_type") == "1",
        clocks_stand_for=_clocks_stand_for(getattr(request, "clocks_silent", None)),
    )


def _clocks_stand_for(silent: int | None) -> int:
    """Minutes of silence, once it is more than a worker that starts again needs, and this process is not new itself."""
    if silent is None or silent < SILENCE_SECONDS or time.monotonic() - _STARTED < SILENCE_SECONDS:
        return 0
    return silent // 60
