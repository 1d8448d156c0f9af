"""What a referral asks of the contracts: the benefits of a resident, the hospitals signed for, and the family doctor.

Contracts answer; the site wires them in. A decision states its rule, its reason and the values it looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.utils import timezone

from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """For whom, where and how a benefit is asked."""

    resident_id: int
    target_id: int | None
    kind: str
    critical: bool
    day: date
    direction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One benefit: granted or not, why, and from which values; `verified` is that of the rule's source."""

    code: str
    title: str
    granted: bool
    reason: str
    inputs: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    verified: bool = False
    title_en: str = ""
    reason_en: str = ""


_NAMES = tuple(one.name for one in fields(Decision))
Decide = Callable[[Question, Actor], Sequence[Decision]]
Signed = Callable[[int, date], Sequence[int]]
# Resident and day -> the unit of the family doctor's team
Family = Callable[[int, date], int | None]

_decide: list[Decide] = []
_signed: list[Signed] = []
_family: list[Family] = []


def install(decide: Decide, *, signed_targets: Signed | None = None, family_doctor: Family | None = None) -> None:
    """Wire those who decide; the last ones count."""
    _family[:] = [family_doctor] if family_doctor else []
    _decide[:] = [decide]
    _signed[:] = [signed_targets] if signed_targets else []


def benefits_of(question: Question, *, actor: Actor) -> list[Decision]:
    """The decisions for this referral; empty while nobody is wired in."""
    return list(_decide[0](question, actor)) if _decide else []


def signed_targets(*, resident_id: int, day: date) -> list[int]:
    """The hospitals of the resident's contract, the highest first; empty without a contract."""
    return list(_signed[0](resident_id, day)) if _signed else []


def family_doctor_of(*, resident_id: int) -> int | None:
    """The unit of the resident's family doctor today; None without a contract."""
    return _family[0](resident_id, timezone.localdate()) if _family else None


def as_rows(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """The decisions as plain rows, kept with the referral as they were made."""
    return [{name: getattr(one, name) for name in _NAMES} for one in decisions]
