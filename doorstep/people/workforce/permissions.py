"""What a role may do with the workforce."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the workforce."""

    WORKFORCE_VIEW = "WORKFORCE_VIEW"
    WORKFORCE_MANAGE = "WORKFORCE_MANAGE"
