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
