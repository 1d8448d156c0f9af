"""What a role may do with indicators."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of indicators."""

    INDICATOR_VIEW = "INDICATOR_VIEW"
