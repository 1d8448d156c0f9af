"""Reads of what is paid later: the board of a hospital's debts, its figures, and one debt."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from doorstep.care.referrals.models import PayLater, Referral
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound

PAGE = 50
# More than an office reads on; the file says no more either.
EXPORTED = 5000
OPEN, OVERDUE, PART, PAID, WAIVED = "open", "overdue", "part", "paid", "waived"
SETTLED = frozenset({PAID, WAIVED})
_NUMBER = re.compile(r"ZZ\d{6}-([0-9A-F]{6})")
_SHOWN = (
    "key", "state", "state_since", "amount", "paid", "due_on", "paid_at", "note", "reminders", "reminded_at", "noted_at",
    "resident_id", "creditor__name", "referral__key", "referral__created_at", "referral__patient_name", "referral__patient_phone",
    "referral__discharge_diagnosis",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """How many debts, and how much of them is still open, in yuan."""

    count: int
    rest: Decimal


def page_of_debts(
    *, actor: Actor, which: str, text: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[PayLater], str]:
    """The debts owed to the actor's units, and where the next page begins: open ones by the day they are due, settled ones the newest first.

    `which` is open, overdue, part, paid or waived; `text` a part of the patient's name, or the number of the referral.
    """
    rows = _of(actor, text).filter(_which(which, timezone.localdate()))
    settled = which in SETTLED
    place = _place(after)
    if place is not None:
        day, last = place
        begins = (
            Q(due_on__lt=day) | Q(due_on=day, id__lt=last)
            if settled
            else Q(due_on__gt=day) | Q(due_on=day, id__gt=last)
        )
        rows = rows.filter(begins)
    order = ("-due_on", "-id") if settled else ("due_on", "id")
    found = list(rows.select_related("referral", "creditor").only(*_SHOWN).order_by(*order)[: limit + 1])
    shown = found[:limit]
    return shown, f"{shown[-1].due_on.isoformat()}_{shown[-1].pk}" if len(found) > limit else ""


def figures_of_debts(*, actor: Actor, text: str = "") -> dict[str, Figure]:
    """How many debts of each kind there are and what is open of them, in one statement."""
    today = timezone.localdate()
    kinds = (OPEN, OVERDUE, PART, PAID, WAIVED)
    money = DecimalField(max_digits=14, decimal_places=2)
    asked: dict[str, Count | Coalesce] = {f"{one}_count": Count("id", filter=_which(one, today)) for one in kinds}
    rest = F("amount") - F("paid")
    asked |= {
        f"{one}_rest": Coalesce(Sum(rest, filter=_which(one, today)), Decimal(0), output_field=money) for one in kinds
    }
    found = _of(actor, text).aggregate(**asked)
    return {one: Figure(count=found[f"{one}_count"], rest=found[f"{one}_rest"]) for one in kinds}


def debt_of(*, referral_id: int) -> PayLater | None:
    """What is owed for a referral, None when nothing was noted or it is not the actor's to see."""
    return PayLater.objects.filter(referral_id=referral_id).select_related("creditor").first()


def owing_among(sent: Iterable[Referral]) -> list[tuple[Referral, PayLater]]:
    """What is still owed for referrals that were read with their debt, the first due on top; asks nothing."""
    found = [(one, getattr(one, "debt", None)) for one in sent]
    return sorted(
        ((one, debt) for one, debt in found if debt is not None and debt.state == "owing"),
        key=lambda line: line[1].due_on,
    )


def debt_by_id(*, debt_id: int) -> PayLater:
    """The debt that a task names; raises NotFound."""
    return _one(pk=debt_id)


def get_debt(*, key: UUID | str) -> PayLater:
    """The debt with this key; raises NotFound."""
    return _one(key=key)


def _one(**by: object) -> PayLater:
    found = PayLater.objects.select_related("referral", "creditor").filter(**by).first()
    if found is None:
        raise NotFound()
    return found


def _of(actor: Actor, text: str) -> QuerySet[PayLater]:
    rows = PayLater.objects.filter(creditor_id__in=sorted(actor.reach))
    said = text.strip()
    if not said:
        return rows
    number = _NUMBER.fullmatch(said.upper())
    if number is None:
        return rows.filter(referral__patient_name__contains=said)
    # The figures that people read out are the first of the key.
    low, high = (UUID(number[1].ljust(32, figure)) for figure in "0F")
    return rows.filter(referral__key__range=(low, high))


def _which(which: str, today: date) -> Q:
    return {
        OVERDUE: Q(state="owing", due_on__lt=today),
        PART: Q(state="owing", paid__gt=0),
        PAID: Q(state="paid"),
        WAIVED: Q(state="waived"),
    }.get(which, Q(state="owing"))


def _place(after: str) -> tuple[date, int] | None:
    """The last line of the page before, from an address; what is not one of ours begins at the top."""
    day, _mark, number = after.partition("_")
    if not number.isdecimal() or len(number) >= 19:
        return None
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None
