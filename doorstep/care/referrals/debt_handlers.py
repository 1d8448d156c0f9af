"""Who is told of a treatment that is paid later: the patient at each step, and whoever may waive it once the day has passed.

No text carries an amount: it stands on a locked telephone. The page of the own referral, to which each leads, has it.
"""

from doorstep.care.referrals import debt_queries
from doorstep.coordination.notices.actions import tell
from doorstep.coordination.notices.texts import Text
from doorstep.kernel.events.event import Event

TEXTS: dict[str, Text] = {
    "debt-noted": Text("您有一笔先诊疗后付费费用待结清", "A treatment is to be paid"),
    "debt-reminded": Text(
        "您有一笔先诊疗后付费费用尚未结清，请与医院联系", "A treatment is still to be paid: please call the hospital"
    ),
    "debt-part-paid": Text(
        "医院已收到您的部分费用，可查看尚欠金额", "The hospital has received a part of what you owe: see what is left"
    ),
    "debt-paid": Text("您的先诊疗后付费费用已结清", "Your treatment is paid"),
    "debt-waived": Text(
        "您的先诊疗后付费费用已减免，不用再付", "What you owed for a treatment was waived: nothing is left to pay"
    ),
    "debt-late": Text(
        "先诊疗后付费欠款逾期未结清，请催收或减免",
        "A treatment paid later is overdue: collect or waive it",
        "warn",
    ),
}
# Event -> what the patient is told.
_TOLD = {
    "DebtNoted": "debt-noted",
    "DebtReminded": "debt-reminded",
    "DebtPartPaid": "debt-part-paid",
    "DebtPaid": "debt-paid",
    "DebtWaived": "debt-waived",
}


def tell_debt(event: Event) -> None:
    """Tell the patient how the debt stands; the notice leads to the page of the own referral."""
    if event.resident_id is None:
        return
    debt = debt_queries.debt_by_id(debt_id=event.subject_id or 0)
    tell(kind=_TOLD[type(event).__name__], resident_id=event.resident_id, link=f"own-{debt.referral.subject}")


def tell_debt_late(event: Event) -> None:
    """The day of payment has passed: whoever may waive what is owed learns of it."""
    if event.details.get("kind") != "pay-later.owing":
        return
    debt = debt_queries.debt_by_id(debt_id=event.subject_id or 0)
    about, link = event.resident_id, debt.referral.subject
    for role in ("lead_duty", "township_duty"):
        tell(kind="debt-late", organization_id=debt.creditor_id, role=role, about=about, link=link)
