"""What a referral says of a pregnancy: its three columns as what was said, their faults, and what the record brings along."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from doorstep.care.referrals.models import Referral
from doorstep.coordination.visits import pregnancy
from doorstep.coordination.visits.pregnancy import NO, NURSING, PREGNANT, Said
from doorstep.people.residents.rules import age_on

FIELDS = ("pregnancy", "last_period_on", "delivered_on")


def said_of(referral: Referral, *, day: date) -> Said | None:
    """What the form says on a day; None where nobody was asked."""
    if not referral.pregnancy:
        return None
    since = {PREGNANT: referral.last_period_on, NURSING: referral.delivered_on}.get(referral.pregnancy)
    return Said(status=referral.pregnancy, on=day, since=since)


def is_asked(referral: Referral) -> bool:
    """Whether the form asks it of this patient."""
    age = age_on(referral.patient_birth_date, timezone.localdate())
    return pregnancy.is_asked(gender=referral.patient_gender, age=age)


def faults(referral: Referral, now: datetime) -> dict[str, object]:
    """What is wrong with what the form says, by field."""
    return pregnancy.faults_of(
        status=referral.pregnancy,
        last_period=referral.last_period_on,
        delivered=referral.delivered_on,
        asked=is_asked(referral),
        day=timezone.localdate(now),
    )


def known_values(said: Iterable[Said], *, day: date) -> dict[str, Any]:
    """The columns as the record has them: what still holds on a day, and no "not pregnant" of another day."""
    last = pregnancy.newest(said, day=day)
    if last is None or not (pregnancy.carries(last, day=day) or pregnancy.nurses(last, day=day)):
        return {}
    name = "last_period_on" if last.status == PREGNANT else "delivered_on"
    return {"pregnancy": last.status, name: last.since}


def told_values(said: Iterable[Said], *, day: date) -> dict[str, Any]:
    """The columns as a sender tells them with the referral: what still holds on a day, and "not pregnant" where it was said that day."""
    told = list(said)
    last = pregnancy.newest(told, day=day)
    if last is not None and last.status == NO and last.on == day:
        return {"pregnancy": NO, "last_period_on": None, "delivered_on": None}
    return known_values(told, day=day)


def words_of(referral: Referral) -> str:
    """What was said when the referral was sent, in words; "" for nothing."""
    said = said_of(referral, day=timezone.localdate(referral.submitted_at or referral.created_at))
    return pregnancy.words_of(said) if said else ""
