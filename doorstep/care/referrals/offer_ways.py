"""The ways of an offered place or bed: agreed to or refused, by whomever the patient told it, or run out."""

from doorstep.care.referrals import events
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.workflow.machine import Transition

_P = Permission
_WAITING = ("submitted", "submitted_green")

OFFER_WAYS: tuple[Transition, ...] = (
    Transition(
        "offer",
        "安排号源或床位",
        "Offer a place or bed",
        _WAITING,
        "offered",
        "target",
        events.PlaceOffered,
        _P.REFERRAL_ACCEPT,
    ),
    Transition(
        "confirm",
        "患者同意，确认安排",
        "Confirm with the patient",
        ("offered",),
        "accepted",
        "source",
        events.OfferConfirmed,
        _P.REFERRAL_SUBMIT,
        style="primary",
    ),
    # The office that offers may call the patient itself, and whoever the patient told, a family doctor too, may call the office.
    Transition(
        "confirm_there",
        "已电话与患者确认",
        "Confirmed by telephone",
        ("offered",),
        "accepted",
        "target",
        events.OfferConfirmed,
        _P.REFERRAL_ACCEPT,
        style="primary",
    ),
    Transition(
        "confirm_self",
        "同意安排",
        "Agree",
        ("offered",),
        "accepted",
        "resident",
        events.OfferConfirmed,
        listed=False,
    ),
    # An offer that is not taken leads back to where it came from: green stays green, with its own clock.
    *(
        way
        for to, variant in (("submitted", ""), ("submitted_green", "green"))
        for way in (
            Transition(
                "refuse_offer",
                "患者不接受安排",
                "The patient refuses the offer",
                ("offered",),
                to,
                "source",
                events.OfferRefused,
                _P.REFERRAL_SUBMIT,
                reason=True,
                variant=variant,
            ),
            Transition(
                "refuse_there",
                "患者来电不接受安排",
                "Refused by telephone",
                ("offered",),
                to,
                "target",
                events.OfferRefused,
                _P.REFERRAL_ACCEPT,
                reason=True,
                variant=variant,
            ),
            Transition(
                "refuse_self",
                "不接受安排",
                "Decline the offer",
                ("offered",),
                to,
                "resident",
                events.OfferRefused,
                reason=True,
                listed=False,
                variant=variant,
            ),
            Transition(
                "offer_expired",
                "安排逾期未确认",
                "The offer ran out",
                ("offered",),
                to,
                "system",
                events.OfferExpired,
                variant=variant,
            ),
        )
    ),
)
