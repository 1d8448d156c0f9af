"""What a role may do with the resident index."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the resident index."""

    RESIDENT_FIND = "RESIDENT_FIND"
    RESIDENT_REGISTER = "RESIDENT_REGISTER"
    RESIDENT_IMPORT = "RESIDENT_IMPORT"
    DEATH_RECORD = "DEATH_RECORD"
    RESIDENT_MERGE = "RESIDENT_MERGE"
    RESIDENT_LINK = "RESIDENT_LINK"
