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
    # A machine at which people prove by themselves who they are, and who opens one again that too many slips have closed.
    PRESENCE_TERMINAL = "PRESENCE_TERMINAL"
    TERMINAL_OPEN = "TERMINAL_OPEN"
