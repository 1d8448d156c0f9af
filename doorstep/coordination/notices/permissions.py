"""What a role may do with notices."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of notices."""

    NOTICE_VIEW = "NOTICE_VIEW"
