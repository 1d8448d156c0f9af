"""Where the cases behind a figure of the board of flows are found, newest first, however few they are.

Most figures are rare among a house full of open referrals: in the order of time alone all of them would be passed over for a
handful.
"""

from django.db import models

from doorstep.care.referrals import states

# What is counted by its coded reason, and the column of the code.
CODED = {
    "return": "return_code",
    "decline": "decline_code",
    "offer": "offer_refusal",
    "back": "back_code",
    "outside": "outside_reason",
}
INDEXES = (
    models.Index(
        fields=["state", "-created_at", "-id"], name="referral_stage", condition=~models.Q(state__in=states.ENDED)
    ),
    # Most go up, which the order of time finds at once.
    models.Index(
        fields=["direction", "-created_at", "-id"], name="referral_rare_way", condition=~models.Q(direction="up")
    ),
    *(
        models.Index(
            fields=[column, "-created_at", "-id"], name=f"referral_by_{word}", condition=~models.Q(**{column: ""})
        )
        for word, column in CODED.items()
    ),
)

# Where a referral stands at the receiving side's desk: 0-9 before the office, 10-19 with the specialists and whoever takes the
# patient back, 20 nowhere. Lists are read in this order.
DESK = models.Case(
    models.When(state="submitted_green", then=0),
    models.When(state="submitted", kind="urgent", then=1),
    models.When(state="submitted", then=2),
    models.When(state="on_the_way", then=3),
    models.When(state="accepted", then=4),
    models.When(state="offered", then=5),
    models.When(state__in=("returned", "not_arrived"), then=6),
    models.When(state="arrived", then=10),
    models.When(state__in=("in_treatment", "admitted"), then=11),
    models.When(state="discharged", then=12),
    models.When(state="handed_back", then=13),
    models.When(state="expected_back", then=14),
    models.When(state="received_back", then=15),
    default=20,
)
# Who is on the way, and who comes by the green channel and has not set out: a few of thousands.
COMING = models.Q(desk=3) | models.Q(desk=4, kind="green")
