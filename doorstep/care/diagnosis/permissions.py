"""What a role may do with the diagnosis centre."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the diagnosis centre."""

    ECG_ORDER = "ECG_ORDER"
    ECG_QUEUE_VIEW = "ECG_QUEUE_VIEW"
    ECG_READ = "ECG_READ"
    ECG_SIGN = "ECG_SIGN"
    CRITICAL_ACKNOWLEDGE = "CRITICAL_ACKNOWLEDGE"
    ECG_OUTCOME_VIEW = "ECG_OUTCOME_VIEW"
