"""Notices as lines of a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import get_language

from doorstep.coordination.notices.addresses import address_of
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.notices.texts import say, text_of
from doorstep.people.residents.named import Named


@dataclass(frozen=True, slots=True)
class Line:
    """One notice as it is shown; `resident` is name, sex and age, "" where the reader may not see whom it concerns."""

    key: UUID
    text: str
    resident: str
    tone: str
    urgent: bool
    created_at: datetime
    seen_at: datetime | None
    address: str
    acknowledge: bool


def lines(notices: Iterable[Notice], people: Mapping[int, Named]) -> list[Line]:
    """Every notice in the reader's language; `people` are those of the residents concerned whom the reader may see."""
    english = (get_language() or "").startswith("en")
    return [
        Line(
            key=notice.key,
            text=say(notice.kind, notice.params, english=english),
            # Whoever is not seen any more goes by the number of the matter, as on its paper.
            resident=_who(people.get(notice.about_id or 0)) or str(notice.params.get("number", "")),
            tone="critical" if notice.urgent else text_of(notice.kind).tone,
            urgent=notice.urgent,
            created_at=notice.created_at,
            seen_at=notice.seen_at,
            address=address_of(notice.acknowledge_link or notice.link),
            acknowledge=bool(notice.acknowledge_link),
        )
        for notice in notices
    ]


def _who(person: Named | None) -> str:
    if person is None:
        return ""
    return person.said(timezone.localdate())


def target(notice: Notice) -> str:
    """Where a notice leads: first to where it must be acknowledged."""
    return address_of(notice.acknowledge_link or notice.link)
