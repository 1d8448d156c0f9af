"""What a role may do with visits."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of visits."""

    VISIT_OPEN = "VISIT_OPEN"
    VITALS_RECORD = "VITALS_RECORD"
