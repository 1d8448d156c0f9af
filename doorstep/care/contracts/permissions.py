"""What a role may do with contracts."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of contracts."""

    CONTRACT_VIEW = "CONTRACT_VIEW"
    CONTRACT_SIGN = "CONTRACT_SIGN"
