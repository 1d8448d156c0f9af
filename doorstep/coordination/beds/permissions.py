"""What a role may do with beds."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of beds."""

    BED_VIEW = "BED_VIEW"
    BED_MANAGE = "BED_MANAGE"
