"""What a role may do with referrals."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of referrals."""

    REFERRAL_VIEW = "REFERRAL_VIEW"
    REFERRAL_SUBMIT = "REFERRAL_SUBMIT"
    REFERRAL_ACCEPT = "REFERRAL_ACCEPT"
    REFERRAL_TREAT = "REFERRAL_TREAT"
    REFERRAL_RECEIVE_BACK = "REFERRAL_RECEIVE_BACK"
    ARRIVAL_VIEW = "ARRIVAL_VIEW"
    FOLLOW_UP_DO = "FOLLOW_UP_DO"
    DEBT_WAIVE = "DEBT_WAIVE"
    CASE_ANSWER = "CASE_ANSWER"
    FLOW_VIEW = "FLOW_VIEW"
