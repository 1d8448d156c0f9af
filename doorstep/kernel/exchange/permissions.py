"""What a role may do with connections and their messages."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the exchange with other systems."""

    EXCHANGE_VIEW = "EXCHANGE_VIEW"
    EXCHANGE_MANAGE = "EXCHANGE_MANAGE"
