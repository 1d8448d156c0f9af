"""What a person's units have sent and others now hold: nobody has to open three lists to see how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import queries as diagnosis
from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.referrals import list_queries as referrals
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url_if_known

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Underway:
    """One thing on its way: what it is, whose, how far, since when, and its page. resident is "" where only the id is known."""

    kind: str
    resident_id: int
    resident: str
    state: str
    holder: str
    since: datetime
    address: str


def underway(actor: Actor) -> list[Underway]:
    """The newest open ECG orders and referrals of the actor's units, the longest unchanged first."""
    english = (get_language() or "").startswith("en")
    found: list[Underway] = []
    if actor.may(Diagnosis.ECG_ORDER):
        for order in diagnosis.orders_at_center(actor=actor):
            state = order.machine.state(order.state)
            found.append(
                Underway(
                    kind=_("心电图"),
                    resident_id=order.resident_id,
                    resident="",
                    state=state.en if english else state.zh,
                    holder=order.center_name,
                    since=order.state_since,
                    address=_address("diagnosis:work", order.key),
                )
            )
    if actor.may(Referrals.REFERRAL_SUBMIT):
        for referral in referrals.list_sent(actor=actor, limit=_SHOWN).rows:
            state = referral.machine.state(referral.state)
            found.append(
                Underway(
                    kind=_("转诊"),
                    resident_id=referral.resident_id,
                    resident=referral.patient_name,
                    state=state.en if english else state.zh,
                    holder=referral.target.name if referral.target else "",
                    since=referral.state_since,
                    address=_address("referrals:detail", referral.key),
                )
            )
    return sorted(found, key=lambda one: one.since)[:_SHOWN]


def _address(name: str, key: UUID) -> str:
    return url_if_known(name, key) or ""
