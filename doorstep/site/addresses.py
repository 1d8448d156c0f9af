"""The page of each machine's thing: where a task leads."""

ITEM_PAGES: dict[str, str] = {
    "merge-notice": "exchange:merge-notice",
    "merge-proposal": "identity:proposal",
    "visit": "visits:detail",
    "ecg-order": "diagnosis:work",
    "critical-value": "diagnosis:critical",
    "referral": "referrals:detail",
    # What a resident is told of the own referral opens the page of the own phone.
    "own-referral": "portal:referral",
    "follow-up": "referrals:follow-up",
    "case-question": "referrals:question",
    "pay-later": "referrals:debt",
    "down-proposal": "referrals:proposal",
    "resident": "residents:detail",
    "contract": "contracts:detail",
    "booking": "scheduling:booking",
    "waiting": "scheduling:wait",
    "rebooking": "scheduling:rebooking",
}
# Things that are worked on in a list of theirs.
LIST_PAGES: dict[str, str] = {
    "bed": "beds:board",
    "bed-request": "beds:board",
}
