"""Reads of allergies: our own lines, and what hospitals sent to the record."""

from dataclasses import dataclass
from uuid import UUID

from doorstep.coordination.allergies.models import Allergy
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import Remembered
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
    found = []
    for entry in record.of_type(resident_id=resident_id, type="AllergyIntolerance", but_category=OWN):
        content = entry.content
        if _status(content, "verificationStatus") in _GONE or _status(content, "clinicalStatus") not in ("", "active"):
            continue
        reactions = [_words(one) for part in content.get("reaction", []) for one in part.get("manifestation", [])]
        found.append(Sent(_words(content.get("code", {})), "、".join(filter(None, reactions)), entry.organization_id))
    return [one for one in found if one.substance]


def for_banner(resident_id: int) -> tuple[str, ...] | None:
    """What the banner says: None when nobody asked, () when none is known, else the substances, each once."""
    own = _STANDING.rows(resident_id)
    named = [text_of(line) for line in own if line.kind == Allergy.Kind.ALLERGY]
    known = {line.substance for line in own}
    named += [one.substance for one in sent_of(resident_id=resident_id) if one.substance not in known]
    if named:
        return tuple(dict.fromkeys(named))
    return () if own else None


_STANDING = Remembered(
    lambda resident_id: Allergy.objects.filter(resident_id=resident_id, state=Allergy.State.ACTIVE).order_by(
        "recorded_at", "id"
    )
)


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
