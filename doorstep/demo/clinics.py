"""Clinics of the coming days: the heroine's expert with places by origin, and experts at the other hospitals."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from doorstep.coordination.scheduling.clinic_actions import add_session, create_schedule
from doorstep.coordination.scheduling.laying_actions import generate_slots
from doorstep.coordination.scheduling.models import Schedule
from doorstep.demo.county import heroes
from doorstep.demo.county.county import County
from doorstep.demo.county.organizations import FIRST_PRIMARY
from doorstep.kernel.access.actor import Actor

DAYS_AHEAD = 14
# How many experts of each house but the heroine's have a clinic of their own.
_EXPERTS_PER_HOUSE = 3
_MORNING, _AFTERNOON = (time(8), time(11, 30)), (time(14, 30), time(17))
# Every second half day, so that a weekday without the expert shows too.
_EXPERT_SESSIONS = ((0, _MORNING), (1, _AFTERNOON), (2, _MORNING), (3, _AFTERNOON), (4, _MORNING), (5, _MORNING))
_PLACES = {"own": 2, "contract": 1, "referral": 1, "community": 1, "open": 1}


@dataclass(frozen=True, slots=True)
class Clinic:
    """An expert's weekly clinic: `sessions` are (weekday from Monday = 0, (from, to))."""

    organization_id: int
    department_id: int
    practitioner_id: int
    sessions: tuple[tuple[int, tuple[time, time]], ...]


def clinics(county: County) -> Iterator[Clinic]:
    """The heroine's expert at the county hospital, then some experts of every hospital."""
    hero = county.practitioners[heroes.CARDIOLOGY_EXPERT - 1].posts[0]
    if hero.department_id is not None:
        yield Clinic(hero.organization_id, hero.department_id, heroes.CARDIOLOGY_EXPERT, _EXPERT_SESSIONS)
    taken: dict[int, int] = {}
    for person in county.practitioners:
        post = person.posts[0]
        house, number = post.organization_id, taken.get(post.organization_id, 0)
        if not person.is_expert or person.id == heroes.CARDIOLOGY_EXPERT or post.department_id is None:
            continue
        if house >= FIRST_PRIMARY or number >= _EXPERTS_PER_HOUSE:
            continue
        taken[house] = number + 1
        sessions = ((number, _MORNING), ((number + 2) % 5, _AFTERNOON))
        yield Clinic(house, post.department_id, person.id, sessions)


def open_clinics(county: County, *, actor: Actor) -> int:
    """Lay out every clinic and its slots from tomorrow on; returns how many slots there are."""
    return sum(_open(clinic, county.today, actor) for clinic in clinics(county))


def _open(clinic: Clinic, today: date, actor: Actor) -> int:
    schedule = create_schedule(
        organization_id=clinic.organization_id,
        department_id=clinic.department_id,
        practitioner_id=clinic.practitioner_id,
        service=Schedule.Service.EXPERT.value,
        actor=actor,
    )
    for weekday, (starts, ends) in clinic.sessions:
        add_session(
            schedule=schedule, weekday=weekday, starts=starts, ends=ends, minutes=30, places=_PLACES, actor=actor
        )
    return generate_slots(
        schedule=schedule, first=today + timedelta(days=1), last=today + timedelta(days=DAYS_AHEAD), actor=actor
    )
