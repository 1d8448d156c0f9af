"""What a role may do with lists of work."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of lists of work."""

    TASK_VIEW = "TASK_VIEW"
    TASK_DELEGATE = "TASK_DELEGATE"
