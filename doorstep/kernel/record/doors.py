"""Resources that belong to a workflow are written by its actions; the site says which, and by whom."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from doorstep.kernel.access.actor import Actor


class Door(Protocol):
    """The machine's way into one app's actions, for one resource type."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """Whether this resource is a thing of the workflow, or only looks like one."""

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Do what the resource asks for; returns the id under which it then stands in the record.

        Raises access.refusals.Refused with the sentence that a page would show.
        """

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Move the thing to what the resource says, by the actions that the workflow allows; raises Refused."""

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """Do what a DELETE means for the workflow; raises Refused when that is nothing."""


class Directory(Protocol):
    """What knows of organisations and people that the record need not hold as resources."""

    def __call__(self, keys: Iterable[tuple[str, str]], /) -> set[tuple[str, str]]:
        """Those of the (type, id) pairs that are there."""


_doors: dict[str, Door] = {}
_directory: list[Directory] = []


def install(doors: dict[str, Door], *, directory: Directory | None = None) -> None:
    """Wire the doors by resource type, and the directory; the last ones count."""
    _doors.clear()
    _doors.update(doors)
    _directory[:] = [directory] if directory else []


def door_of(type: str) -> Door | None:
    """The door of a resource type, None when no workflow owns it."""
    return _doors.get(type)


_address: ContextVar[str] = ContextVar("fhir_address", default="")


@contextmanager
def reached_at(address: str) -> Iterator[None]:
    """Let doors know under which address the client reached this interface."""
    token = _address.set(address)
    yield
    _address.reset(token)


def address() -> str:
    """The address of the interface as the client of the running write knows it, "" without one."""
    return _address.get()


def in_directory(keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (type, id) pairs that the directory knows."""
    return _directory[0](keys) if _directory else set()
