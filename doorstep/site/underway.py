"""What a person's units have sent and others now hold: nobody has to open three lists to see how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import queries as diagnosis
from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.referrals import list_queries as referrals
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.care.referrals.states import AT_RECEIVER, REFERRAL
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url_if_known

_SHOWN = 8
# Drafts and what came back stand among them: so many are looked at to find the lines that are shown.
_LOOKED_AT = 4 * _SHOWN
_BACK = frozenset(AT_RECEIVER)
# States in which the sender itself has the next act: these are tasks of its own, and nobody else is waited for.
_OWN = frozenset(state.code for state in REFERRAL.states if state.owner == "source")


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
        rows = referrals.list_sent(actor=actor, limit=_LOOKED_AT).rows
        for referral in [one for one in rows if one.state not in _OWN][:_SHOWN]:
            state = referral.machine.state(referral.state)
            found.append(
                Underway(
                    kind=_("转诊"),
                    resident_id=referral.resident_id,
                    resident=referral.patient_name,
                    state=state.en if english else state.zh,
                    holder=_holder(referral),
                    since=referral.state_since,
                    address=_address("referrals:detail", referral.key),
                )
            )
    return sorted(found, key=lambda one: one.since)[:_SHOWN]


def _holder(referral: Referral) -> str:
    """Who has it now: once it was handed back, the unit near home."""
    unit = referral.receiver if referral.state in _BACK else referral.target
    return unit.name if unit else ""


def _address(name: str, key: UUID) -> str:
    return url_if_known(name, key) or ""
