"""A referral with everything of its form, what comes back from it, and what is asked and owed on the way."""

from doorstep.care.referrals.models.case import CaseQuestion, PayLater
from doorstep.care.referrals.models.down import DownProposal, StockLine, UnitService
from doorstep.care.referrals.models.flow import KeptBoard
from doorstep.care.referrals.models.referral import Referral
from doorstep.care.referrals.models.returning import FollowUp, RecoveryPlan

__all__ = [
    "CaseQuestion",
    "DownProposal",
    "FollowUp",
    "KeptBoard",
    "PayLater",
    "RecoveryPlan",
    "Referral",
    "StockLine",
    "UnitService",
]
