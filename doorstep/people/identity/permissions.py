"""What a role may do about the identity of residents."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the records office."""

    RESIDENT_MERGE = "RESIDENT_MERGE"
