"""How places are divided by origin, and until when an offer is answered. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

CHINA = ZoneInfo("Asia/Shanghai")


class Quota(StrEnum):
    """Whom a place is kept for."""

    OWN = "own"
    CONTRACT = "contract"
    REFERRAL = "referral"
    COMMUNITY = "community"
    OPEN = "open"


# Whose places these are, as they are called on every page and in every file: "签约" alone is an act, and in English a verb.
QUOTA_ZH = {
    Quota.OWN: "本院号",
    Quota.CONTRACT: "签约号",
    Quota.REFERRAL: "转诊号",
    Quota.COMMUNITY: "社区号",
    Quota.OPEN: "公开号",
}

# The hours of China's clock in which a resident is expected to answer; platform default.
WAKES, SLEEPS = 8, 21

# Where a half day ends on the clinics' signs: 上午 to noon, 下午 to six; platform default.
NOON, EVENING = 12, 18

# Check-in opens with the day of the visit, for a visit after midnight so long before it; platform default.
CHECK_IN_BEFORE = timedelta(hours=2)

# Whoever was passed over, or checks in after the end of the own time, is called after so many others; platform default.
PASSED_BEHIND = 3

# Under this age a child goes to 儿科, and obstetrics is not offered before somebody looks for it; our own choice.
OBSTETRICS_FROM = 14

# Share of outpatient places that a group gives down to primary units and family-doctor teams, 国卫医政函〔2023〕27号.
GIVEN_DOWN_SHARE = {"value": "1/3", "source": "国卫医政函〔2023〕27号", "verified": False}
GIVEN_DOWN = frozenset({Quota.CONTRACT, Quota.REFERRAL, Quota.COMMUNITY})


def quotas_for(origin: str) -> tuple[str, ...]:
    """The quotas a request of this origin may take, best first: its own share, then what is open to all.

    Raises ValueError for an origin that does not exist.
    """
    own = Quota(origin)
    return (own.value,) if own is Quota.OPEN else (own.value, Quota.OPEN.value)


def quota_name(quota: str) -> str:
    """What a share is called, in the reader's language; raises ValueError for one that does not exist."""
    return _(QUOTA_ZH[Quota(quota)])


def share_given_down(places: dict[str, int]) -> float | None:
    """The share of the places that is kept for the primary level (0 to 1), None without places."""
    total = sum(places.values())
    return sum(count for quota, count in places.items() if quota in GIVEN_DOWN) / total if total else None


def offers_obstetrics(gender: str, age: int) -> bool:
    """Whether somebody who looks for nothing in particular is offered obstetrics; whoever types it finds it at any age.

    Our own choice: nothing says from which age on; a man known as one and a child under 14, who goes to 儿科, do not look for it.
    """
    return gender != "male" and age >= OBSTETRICS_FROM


def answer_by(now: datetime, *, within: timedelta) -> datetime:
    """Until when somebody who is asked now has to answer: so long in waking hours, since nobody reads an offer of the night."""
    local, left = now.astimezone(CHINA), within
    while True:
        opens = local.replace(hour=WAKES, minute=0, second=0, microsecond=0)
        closes = local.replace(hour=SLEEPS, minute=0, second=0, microsecond=0)
        local = max(local, opens)
        if local + left <= closes:
            return local + left
        left -= max(closes - local, timedelta())
        local = opens + timedelta(days=1)


def check_in_is(starts_at: datetime, ends_at: datetime, *, now: datetime) -> str:
    """Whether somebody may check in for a visit now: "open", or "early" before its day, "over" after it."""
    local, day = now.astimezone(CHINA), starts_at.astimezone(CHINA).date()
    if local.date() < day and starts_at - now > CHECK_IN_BEFORE:
        return "early"
    return "over" if local.date() > ends_at.astimezone(CHINA).date() else "open"
