"""What a role may do with organisations."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of organisations."""

    ORGANIZATION_VIEW = "ORGANIZATION_VIEW"
    ORGANIZATION_MANAGE = "ORGANIZATION_MANAGE"
