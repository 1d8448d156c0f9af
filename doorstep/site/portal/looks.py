"""Who looked at a record, told so that a resident can read it: the same look by the same person on one day is one line."""

from collections.abc import Iterable
from itertools import groupby

from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.web.formats import CHINA


def together(entries: Iterable[AuditEntry]) -> list[tuple[AuditEntry, int]]:
    """Each run of alike entries as its newest one and how many there are; order stays, nobody's look disappears."""
    found = []
    for _same, run in groupby(entries, key=_likeness):
        held = list(run)
        found.append((held[0], len(held)))
    return found


def _likeness(entry: AuditEntry) -> tuple[object, ...]:
    day = entry.at.astimezone(CHINA).date()
    return (
        entry.user_id,
        entry.organization_id,
        entry.organization_name,
        entry.actor_name,
        entry.action,
        entry.basis,
        day,
    )
