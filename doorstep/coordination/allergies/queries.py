"""Reads of allergies: our own lines, and what hospitals sent to the record."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from doorstep.coordination.allergies.models import Allergy
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import ask
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.kernel.terminology import queries as terminology
from doorstep.kernel.terminology.queries import Code

OWN = "allergy"
_GONE = frozenset({"refuted", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Sent:
    """An allergy that a hospital's system sent."""

    substance: str
    reaction: str
    organization_id: int | None


def lines_of(*, resident_id: int) -> list[Allergy]:
    """Every line of a resident: those that stand first, then by time, newest first."""
    found = list(Allergy.objects.filter(resident_id=resident_id).order_by("-recorded_at", "-id"))
    return sorted(found, key=lambda line: line.state != Allergy.State.ACTIVE)


def sent_of(*, resident_id: int) -> list[Sent]:
    """What hospitals sent and the actor may read, without what was refuted or ended."""
    entries = record.of_type(resident_id=resident_id, type="AllergyIntolerance", but_category=OWN)
    found = [_sent(entry.content, entry.organization_id) for entry in entries]
    return [one for one in found if one is not None]


def _sent(content: dict[str, Any], organization_id: int | None) -> Sent | None:
    if has_ended(content):
        return None
    reactions = [_words(one) for part in content.get("reaction", []) for one in part.get("manifestation", [])]
    substance = _words(content.get("code", {}))
    return Sent(substance, "、".join(filter(None, reactions)), organization_id) if substance else None


def has_ended(content: dict[str, Any]) -> bool:
    """Whether an AllergyIntolerance does not count (any more)."""
    return _status(content, "verificationStatus") in _GONE or _status(content, "clinicalStatus") not in ("", "active")


def for_banner(resident_id: int) -> tuple[str, ...] | None:
    """What the banner says: None when nobody asked, () when none is known, else the substances, each once.

    One statement for our own lines and for what hospitals sent: the banner stands on every page of a resident.
    """
    rows = ask(_BANNER, {"resident": resident_id, "active": Allergy.State.ACTIVE.value, "own": OWN})
    own = [Allergy(kind=row[0], substance=row[1], certainty=row[2]) for row in rows if row[3] is None]
    named = [text_of(line) for line in own if line.kind == Allergy.Kind.ALLERGY]
    known = {line.substance for line in own}
    sent = (_sent(json.loads(row[3]), None) for row in rows if row[3] is not None)
    named += [one.substance for one in sent if one is not None and one.substance not in known]
    if named:
        return tuple(dict.fromkeys(named))
    return () if own else None


_BANNER = """
SELECT kind, substance, certainty, content FROM (
  (SELECT 0 AS part, extract(epoch FROM recorded_at) AS place, id, kind, substance, certainty, NULL::text AS content
     FROM allergies_allergy WHERE resident_id = %(resident)s AND state = %(active)s)
  UNION ALL
  (SELECT 1, -extract(epoch FROM occurred_at), -id, '', '', '', content::text
     FROM record_resource
    WHERE resident_id = %(resident)s AND type = 'AllergyIntolerance' AND NOT deleted AND category <> %(own)s
    ORDER BY occurred_at DESC, id DESC LIMIT 50)) AS known
 ORDER BY part, place, id
"""


def text_of(line: Allergy) -> str:
    """How a line is named: the substance, with a mark when it is not sure."""
    unsure = line.certainty == Allergy.Certainty.UNCONFIRMED
    return f"{line.substance}（{line.get_certainty_display()}）" if unsure else line.substance


def get_allergy(*, key: UUID | str, resident_id: int) -> Allergy:
    """A line of this resident; raises NotFound."""
    found = Allergy.objects.select_related("resident").filter(key=key, resident_id=resident_id).first()
    if found is None:
        raise NotFound()
    return found


def substances() -> list[Code]:
    """The value set of substances, in the order of its table; empty where it was not imported."""
    return terminology.every(system=systems.ALLERGEN)


def _status(content: dict[str, object], name: str) -> str:
    concept = content.get(name)
    coding = concept.get("coding") if isinstance(concept, dict) else None
    return str(coding[0].get("code", "")) if coding else ""


def _words(concept: dict[str, object]) -> str:
    coding = concept.get("coding")
    first = coding[0] if isinstance(coding, list) and coding else {}
    return str(concept.get("text") or first.get("display") or first.get("code") or "")
