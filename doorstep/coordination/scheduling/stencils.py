"""What the bookings of one slot by one hospital system have in common, written once: a text with places for what each has of its own.

Preparing a booking with its traces from nothing is most of what a process does for it, and of these four kilobytes only the booking's
key, the patient, the request and the moment are another from one to the next. A stencil is made of a booking that was prepared the ordinary
way, so that both say the same.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir import elements
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.search_index import facts_number, number
from doorstep.kernel.workflow.publication import resources_of

# Where the resource and its index stand among the arguments of scheduling_book, and the moment.
_ROWS, _INDEX, _MOMENT = 8, 9, 12


@dataclass(frozen=True, slots=True)
class Filled:
    """A booking as it is sent: its key, the arguments of scheduling_book as one JSON list, and the Appointment to be answered."""

    key: uuid.UUID
    arguments: str
    appointment: bytes


@dataclass(frozen=True, slots=True)
class Stencil:
    """The text of the arguments and of the Appointment in parts: each with the name of what follows it, "" at the end."""

    arguments: tuple[tuple[str, str], ...]
    appointment: tuple[tuple[str, str], ...]
    # Of the index: under which names the patient is linked, the other links, and the rest as it stands beside the links.
    names: tuple[int, ...]
    links: frozenset[tuple[int, int]]
    rest: Mapping[str, Any]

    def filled(self, *, patient: uuid.UUID, request: uuid.UUID, now: datetime) -> Filled:
        """The booking of this patient, made at this moment."""
        key = uuid.uuid4()
        words = str(key)
        target = number(f"Patient/{patient}")
        links = sorted(map(list, self.links | {(name, target) for name in self.names}))
        own = {
            "": "",
            "key": words,
            "patient": str(patient),
            "request": str(request),
            "now": as_json(now)[1:-1],
            "stamp": stamp(now),
            "created": elements.instant(now),
            "links": as_json(links),
            "facts": str(facts_number({**self.rest, "links": links})),
            "ref": str(number(f"Appointment/{words}")),
        }
        return Filled(key, _written(self.arguments, own), _written(self.appointment, own).encode())


def stencil_of(booking: Booking, arguments: tuple[Any, ...], listed: str) -> Stencil | None:
    """The stencil of the bookings that are like this one, prepared as `arguments` (at_once.prepared), and as `listed`; None if it has none."""
    row, index = orjson.loads(arguments[_ROWS])[0], orjson.loads(arguments[_INDEX])[0]
    target = number(f"Patient/{booking.resident_key}")
    links = index["rest"].get("links", [])
    marks = {
        str(booking.key): "key",
        str(booking.resident_key): "patient",
        str(booking.hold_key): "request",
        **{as_json(one)[1:-1]: "now" for one in (booking.state_since, booking.wanted_since, arguments[_MOMENT])},
        arguments[-1]: "stamp",
        elements.instant(booking.created_at): "created",
        f'"links":{as_json(links)}': "links",
        f'"facts":{index["facts"]}': "facts",
        f'"ref":{row["ref"]}': "ref",
    }
    names = tuple(name for name, other in links if other == target)
    parts = _parts(listed, marks)
    if not names or {field for _, field in parts} != {"", *marks.values()}:
        return None
    return Stencil(
        arguments=parts,
        appointment=_parts(as_json(resources_of(booking)[0].content), marks),
        names=names,
        links=frozenset((name, other) for name, other in links if other != target),
        rest=index["rest"],
    )


def _parts(text: str, marks: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A text cut where one of the marks stands; what is an element of JSON with its name keeps the name."""
    found = re.split("(" + "|".join(map(re.escape, sorted(marks, key=len, reverse=True))) + ")", text)
    parts = []
    for plain, mark in zip(found[::2], [*found[1::2], ""], strict=True):
        field = marks.get(mark, "")
        name = f'"{field}":' if field and mark.startswith('"') else ""
        parts.append((plain + name, field))
    return tuple(parts)


def _written(parts: tuple[tuple[str, str], ...], own: Mapping[str, str]) -> str:
    return "".join([text for plain, field in parts for text in (plain, own[field])])
