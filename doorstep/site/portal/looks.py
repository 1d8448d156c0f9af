"""Who looked at a record, told so that a resident can read it: the same look by the same person on one day is one line."""

from collections.abc import Iterable
from itertools import groupby

from django.utils.translation import gettext as _

from doorstep.kernel.access.models import SensitiveOpening
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.web.formats import CHINA


def together(entries: Iterable[AuditEntry]) -> list[tuple[AuditEntry, int]]:
    """Each run of alike entries as its newest one and how many there are; order stays, nobody's look disappears."""
    found = []
    for _same, run in groupby(entries, key=_likeness):
        held = list(run)
        found.append((held[0], len(held)))
    return found


def why(entry: AuditEntry) -> str:
    """For what sensitive entries were opened, or that a look showed some; "" for every other act."""
    if entry.action == "record.unveil":
        purposes = dict(SensitiveOpening.Purpose.choices)
        purpose = purposes.get(str(entry.details.get("purpose", "")), "")
        return "：".join(filter(None, [_(purpose) if purpose else "", str(entry.details.get("words", ""))]))
    return _("包括敏感内容") if entry.details.get("sensitive") else ""


def _likeness(entry: AuditEntry) -> tuple[object, ...]:
    day = entry.at.astimezone(CHINA).date()
    return (
        entry.user_id,
        entry.organization_id,
        entry.organization_name,
        entry.actor_name,
        entry.action,
        entry.basis,
        # Why sensitive entries were opened is told each time, in the words of who opened them.
        str(entry.details) if entry.action == "record.unveil" else str(bool(entry.details.get("sensitive"))),
        day,
    )
