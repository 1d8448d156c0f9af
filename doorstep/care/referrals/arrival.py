"""When a patient is expected for whom nobody booked a place or named a time.

An emergency is expected at any hour. Everybody else comes when the receiving department sees patients: at its first clinic time a
day from now, and where it lays out no clinics within the week, or a bed was asked for, in the working time of a workday. Nobody is
expected at one in the night because the referral was answered at one.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from doorstep.care.referrals.models import Referral
from doorstep.coordination.scheduling import clinic_queries
from doorstep.kernel.worklist import calendar

# This house's own, by kind.
_EXPECTED = {"green": timedelta(hours=2), "urgent": timedelta(hours=4), "ordinary": timedelta(hours=24)}
# Between the word and the way home, and how far off a clinic may be to be waited for.
A_DAY = timedelta(hours=24)
_NEAR = timedelta(days=7)
_GRID = 30


def usual_arrival(referral: Referral, *, now: datetime) -> datetime:
    """When a patient without a booked place is expected; one query for an ordinary referral to a department."""
    earliest = now + _EXPECTED[referral.kind]
    if referral.kind != Referral.Kind.ORDINARY:
        return earliest
    if referral.department_id is not None and not referral.bed_requested:
        clinic = clinic_queries.first_time(department_id=referral.department_id, since=earliest, until=earliest + _NEAR)
        if clinic is not None:
            return clinic
    return in_working_time(earliest)


def in_working_time(moment: datetime) -> datetime:
    """The next half hour in working time, from a moment on."""
    local = timezone.localtime(moment)
    over = timedelta(minutes=local.minute % _GRID, seconds=local.second, microseconds=local.microsecond)
    on_grid = local - over + timedelta(minutes=_GRID) if over else local
    return calendar.working_moment(on_grid)
