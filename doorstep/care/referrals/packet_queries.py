"""What travels with a referral, as the receiving side reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from doorstep.care.referrals import queries
from doorstep.care.referrals.long_term import LongTerm
from doorstep.care.referrals.long_term import long_term_of as taken_long
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.record_facts import packet_line
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.queries import Entry
from doorstep.people.organizations import queries as organizations

# Chosen or not, these travel: to treat without them would be dangerous.
ALWAYS = ("AllergyIntolerance", "Condition", "MedicationStatement")
_MOST = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One entry that travels: its line with day, unit and mark, the entry itself, its results, and whether the sender chose it."""

    line: dict[str, Any]
    entry: Entry
    unit: str
    chosen: bool
    results: list[Entry]


def contents_of(*, referral: Referral, actor: Actor) -> list[Item]:
    """What the sender chose, newest first, then what always travels: the record's own entries where the whole record is open, else
    the copies that were sent. Empty when the sight has ended. The look is audited."""
    record.note_look(resident_id=referral.resident_id, actor=actor, subject=referral.subject, action="referral.packet")
    lines = {str(line["reference"]): line for line in referral.packet}
    own = queries.reads_whole(referral, actor=actor)
    if own:
        entries = record.chosen(resident_id=referral.resident_id, references=sorted(lines), types=ALWAYS, limit=_MOST)
        entries += results_of(entries, resident_id=referral.resident_id)
    else:
        entries = _copied(referral, lines)
    results = {f"{one.type}/{one.fhir_id}": one for one in entries if one.type == "Observation"}
    entries = [one for one in entries if one.type != "Observation" or f"{one.type}/{one.fhir_id}" in lines]
    units = organizations.names(ids=[one.organization_id for one in entries])
    day = timezone.localdate()
    found = [
        Item(
            line=lines.get(f"{one.type}/{one.fhir_id}") or packet_line(one, day=day),
            entry=one,
            unit=units.get(one.organization_id or 0, ""),
            chosen=f"{one.type}/{one.fhir_id}" in lines,
            results=[results[key] for key in _references(one) if key in results],
        )
        for one in entries
    ]
    return sorted(found, key=lambda one: not one.chosen)


def long_term_of(*, referral: Referral) -> tuple[LongTerm, ...]:
    """The long-term medicines among the copies that were sent, for a receiver whose sight is the packet; the caller records the look."""
    return taken_long((one.content, timezone.localdate(one.occurred_at)) for one in _copied(referral, {}))


def results_of(entries: Sequence[Entry], *, resident_id: int) -> list[Entry]:
    """The measurements that reports among these entries stand on: a report is not read without them."""
    wanted = sorted({key for one in entries for key in _references(one)})
    return record.chosen(resident_id=resident_id, references=wanted, types=(), limit=_MOST) if wanted else []


def _references(entry: Entry) -> list[str]:
    if entry.type != "DiagnosticReport":
        return []
    found = (str(one.get("reference", "")) for one in entry.content.get("result", []))
    return [key for key in found if key.startswith("Observation/")]


def _copied(referral: Referral, lines: dict[str, dict[str, Any]]) -> list[Entry]:
    """The copies of the packet; a redirect keeps them under the same id."""
    bundle = record.read(type="Bundle", fhir_id=str(referral.key))
    return [_entry(one["resource"], referral, lines) for one in (bundle or {}).get("entry", [])]


_DAYS = ("recordedDate", "onsetDateTime", "effectiveDateTime", "dateAsserted", "authoredOn", "issued", "date")


def _moment(text: str) -> datetime | None:
    """An instant or a whole day as FHIR writes it; None for less than a day."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else timezone.make_aware(found)


def _entry(content: dict[str, Any], referral: Referral, lines: dict[str, dict[str, Any]]) -> Entry:
    line = lines.get(f"{content['resourceType']}/{content['id']}", {})
    # What always travels has no line: its own day, else the day it was sent.
    own = next((str(content[name]) for name in _DAYS if content.get(name)), "")
    at = _moment(line.get("at") or own) or referral.submitted_at or referral.created_at
    return Entry(
        type=content["resourceType"],
        fhir_id=content["id"],
        occurred_at=at,
        organization_id=line.get("unit"),
        episode=referral.sight,
        category="referral",
        sensitive=False,
        content=content,
    )
