"""The ways of a day that is changed: before it has come or after it was missed, and where places are booked."""

from doorstep.care.referrals import events
from doorstep.care.referrals.permissions import Permission
from doorstep.kernel.workflow.machine import Transition

_P = Permission

DAY_WAYS: tuple[Transition, ...] = (
    # Who did not come today comes another day, and who cannot come says so before: without a second referral for the same matter.
    *(
        way
        for source, zh, en, style in (
            ("not_arrived", "约定新的到院时间", "Agree another day", "primary"),
            ("accepted", "改约到院时间", "Change the day", "secondary"),
        )
        for way in (
            Transition(
                "agree_day",
                zh,
                en,
                (source,),
                "accepted",
                "source",
                events.NewDayAgreed,
                _P.REFERRAL_SUBMIT,
                style=style,
            ),
            # The office calls the patient too, or is called, and patients answer on their own phone.
            Transition(
                "agree_day_there",
                zh,
                en,
                (source,),
                "accepted",
                "target",
                events.NewDayAgreed,
                _P.REFERRAL_ACCEPT,
                style=style,
            ),
        )
    ),
    Transition(
        "agree_day_self",
        "改约到院时间",
        "Choose another day",
        ("accepted", "not_arrived"),
        "accepted",
        "resident",
        events.NewDayAgreed,
        listed=False,
    ),
    # The place was moved where places are booked, by the patient, a desk or after a stopped clinic: the referral goes along.
    Transition(
        "move_place",
        "号源已改约",
        "The place was moved",
        ("accepted", "not_arrived"),
        "accepted",
        "system",
        events.NewDayAgreed,
    ),
    # Given up there without another: the receiving side looks for one, and its clock runs.
    *(
        Transition(
            "give_place_up",
            "号源已取消",
            "The place was given up",
            ("accepted",),
            to,
            "system",
            events.PlaceGivenUp,
            variant=variant,
        )
        for to, variant in (("submitted", ""), ("submitted_green", "green"))
    ),
)
