"""Schedules, slots, holds and bookings (号源与预约). See docs/apps/scheduling.md."""
