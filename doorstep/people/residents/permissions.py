"""What a role may do with the resident index."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of the resident index."""

    RESIDENT_FIND = "RESIDENT_FIND"
    RESIDENT_REGISTER = "RESIDENT_REGISTER"
    RESIDENT_IMPORT = "RESIDENT_IMPORT"
<<<<<<< HEAD
    DEATH_RECORD = "DEATH_RECORD"
=======
    RESIDENT_MERGE = "RESIDENT_MERGE"
>>>>>>> 9033789 (Pages of the records office: two records side by side, merge with a reason, undo)
