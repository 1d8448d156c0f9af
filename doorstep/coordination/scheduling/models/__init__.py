"""Schedules, their weekly templates, slots, one row per place, bookings, the waiting list and the division of places."""

from doorstep.coordination.scheduling.models.bookings import Booking, Channel, Rebooking, Ticket, WaitingEntry
from doorstep.coordination.scheduling.models.calendar import CalendarDay
from doorstep.coordination.scheduling.models.clinics import (
    DayException,
    Facility,
    PlaceQuota,
    RestingHours,
    RoomTerm,
    Schedule,
    VisitKind,
    WeeklySession,
)
from doorstep.coordination.scheduling.models.division import QuotaDecision, QuotaShare, SinkStep
from doorstep.coordination.scheduling.models.places import Place, Slot, TsTzRange

__all__ = [
    "Booking",
    "CalendarDay",
    "Channel",
    "DayException",
    "Facility",
    "Place",
    "PlaceQuota",
    "QuotaDecision",
    "QuotaShare",
    "Rebooking",
    "RestingHours",
    "RoomTerm",
    "Schedule",
    "SinkStep",
    "Slot",
    "Ticket",
    "TsTzRange",
    "VisitKind",
    "WaitingEntry",
    "WeeklySession",
]
