"""What is told of a resource to those who know of its resident through one episode or order alone.

What they read refers to the Patient: they must be able to tell who is meant, and learn nothing else of the record. The part is no
version of the resource: it is not searched, compared or sent back, and is tagged SUBSETTED (hl7.org/fhir/R4/resource.html#simple-tags).
"""

from collections.abc import Callable, Mapping
from typing import Any

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import exact
from doorstep.kernel.record import queries

# The resident and the part by the id of the resource; None for whom the actor does not see at all.
Teller = Callable[[str, Actor], tuple[int, dict[str, Any]] | None]
_tellers: dict[str, Teller] = {}


def install(tellers: Mapping[str, Teller]) -> None:
    """Wire what knows the parts, by type of resource; the last ones count."""
    _tellers.clear()
    _tellers.update(tellers)


def has_parts(type: str) -> bool:
    """Whether a resource of this type that cannot be read may still be told in part."""
    return type in _tellers


def told(type: str, fhir_id: str, *, actor: Actor) -> str | None:
    """The part that the actor is told, the look at it in the audit trail; None when there is none."""
    teller = _tellers.get(type)
    found = teller(fhir_id, actor) if teller else None
    if found is None:
        return None
    resident_id, content = found
    queries.note_read(type=type, fhir_id=fhir_id, actor=actor, resident_id=resident_id)
    return exact.dumps(content).decode()
