"""Which list of work a person, or a case in a person's hands, belongs to; each is called as the menu calls it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.care.referrals import list_queries
from doorstep.care.referrals.list_queries import Page
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.states import AT_RECEIVER
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url

_COMING_HOME = frozenset(AT_RECEIVER)
_AT_THE_DESK = frozenset({"submitted", "submitted_green", "offered", "accepted", "on_the_way", "not_arrived"})


@dataclass(frozen=True, slots=True)
class Place:
    """A list of work: its title, its address, and how a page of it is read."""

    title: str
    address: str
    read: Callable[..., Page]


def own_list(actor: Actor) -> Place:
    """Where this person's work with referrals begins."""
    treats, accepts = actor.may(Permission.REFERRAL_TREAT), actor.may(Permission.REFERRAL_ACCEPT)
    if treats and not accepts:
        # A specialist takes patients back only now and then.
        return _treating()
    if actor.may(Permission.REFERRAL_RECEIVE_BACK):
        return _returning()
    return _office() if accepts else sent_list()


def list_of(referral: Referral, *, actor: Actor) -> Place:
    """The list on which this person meets this case: by the side of it that is the person's, and by how far it is."""
    receives = referral.receiver_id is not None and actor.reaches(referral.receiver_id)
    if receives and referral.state in _COMING_HOME and actor.may(Permission.REFERRAL_RECEIVE_BACK):
        return _returning()
    if referral.target_id is not None and actor.reaches(referral.target_id):
        treats, accepts = actor.may(Permission.REFERRAL_TREAT), actor.may(Permission.REFERRAL_ACCEPT)
        if accepts and (referral.state in _AT_THE_DESK or not treats):
            return _office()
        if treats:
            return _treating()
    if actor.reaches(referral.source_id) and actor.may(Permission.REFERRAL_SUBMIT):
        return sent_list()
    return own_list(actor)


def sent_list() -> Place:
    """What the units of whoever asks have sent."""
    return Place(_("转出"), url("referrals:list"), list_queries.list_sent)


def _office() -> Place:
    return Place(_("转诊受理"), url("referrals:office"), list_queries.list_incoming)


def _treating() -> Place:
    return Place(_("接诊与住院"), url("referrals:treating"), list_queries.list_treating)


def _returning() -> Place:
    return Place(_("下转承接"), url("referrals:returning"), list_queries.list_returning)
