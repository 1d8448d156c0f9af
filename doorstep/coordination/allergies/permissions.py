"""What a role may do with allergies."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of allergies; whoever sees the record sees them."""

    ALLERGY_RECORD = "ALLERGY_RECORD"
