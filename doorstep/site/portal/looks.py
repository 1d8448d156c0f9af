"""Who looked at a record, told so that a resident can read it: the same look by the same person on one day is one line."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import SensitiveOpening
from doorstep.kernel.audit import queries as audit
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.web.formats import CHINA
from doorstep.people.residents import account_links
from doorstep.site.acts import act_words


def looks_at(resident_id: int, actor: Actor, *, limit: int = 100) -> list[AuditEntry]:
    """Who read or changed a record, newest first, without what its own person did on these pages."""
    own = account_links.own_accounts(resident_id=resident_id)
    return audit.who_looked(resident_id=resident_id, actor=actor, own_accounts=own, limit=limit)


def act_of(entry: AuditEntry, acts: Mapping[str, Any]) -> str:
    """What was done, in a resident's words (`acts` by code) or else the house's."""
    if entry.actor_kind == "resident" and entry.action.startswith("fhir."):
        # A resident's account reaches the machine interface by an app alone.
        return _("经授权的应用读取了档案")
    return str(acts.get(entry.action) or act_words(entry.action))


def together(entries: Iterable[AuditEntry]) -> list[tuple[AuditEntry, int]]:
    """Alike entries of a day as the newest of them and how many there are, newest first; nobody's look disappears.

    What a hospital's system asks all day long is one line for each kind of act, whatever others did in between.
    """
    found: dict[tuple[object, ...], list[AuditEntry]] = {}
    for one in entries:
        found.setdefault(_likeness(one), []).append(one)
    return [(held[0], len(held)) for held in found.values()]


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
