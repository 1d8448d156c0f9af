"""What a role may do with slots and bookings."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of slots and bookings."""

    SLOT_VIEW = "SLOT_VIEW"
    SLOT_BOOK = "SLOT_BOOK"
    SLOT_OVERBOOK = "SLOT_OVERBOOK"
    SCHEDULE_MANAGE = "SCHEDULE_MANAGE"
    QUOTA_MANAGE = "QUOTA_MANAGE"
    CALENDAR_MANAGE = "CALENDAR_MANAGE"
    QUEUE_CALL = "QUEUE_CALL"
    KIOSK_SERVE = "KIOSK_SERVE"
    PHONE_DESK = "PHONE_DESK"
