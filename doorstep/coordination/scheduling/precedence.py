"""Who comes first, by a rule that can be read: referrals, signed residents, the old. And who keeps missing appointments. Pure."""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.rules import PASSED_BEHIND


@dataclass(frozen=True, slots=True)
class Weight:
    """One ground of precedence: its points, its name on the page, and where it comes from."""

    code: str
    points: int
    label: str
    source: str
    verified: bool


REFERRAL, SIGNED, ELDER = "referral", "signed", "elder"
ELDER_FROM = 65  # years; the age from which national basic public health services count somebody as old

WEIGHTS: tuple[Weight, ...] = (
    Weight(REFERRAL, 4, "转诊患者", "国卫基层发〔2018〕35号（优先转诊）", False),
    Weight(SIGNED, 2, "签约居民", "国卫基层发〔2018〕35号（优先预约）", False),
    Weight(ELDER, 1, "65 岁及以上", "国办发〔2020〕45号（老年人就医便利）", False),
)
LABELS = {weight.code: weight.label for weight in WEIGHTS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rule looks at."""

    age: int
    signed: bool
    referred: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule decided: more points come first; `groups` are the grounds that held."""

    points: int
    groups: tuple[str, ...]
    facts: Facts


def stand(facts: Facts) -> Standing:
    """Decide a resident's precedence: every ground that holds adds its points."""
    held = {REFERRAL: facts.referred, SIGNED: facts.signed, ELDER: facts.age >= ELDER_FROM}
    groups = tuple(weight.code for weight in WEIGHTS if held[weight.code])
    return Standing(sum(weight.points for weight in WEIGHTS if held[weight.code]), groups, facts)


def rule_sentence() -> str:
    """The rule in one sentence, as it stands on the pages."""
    return _(
        "候补放号、优先放号时段和同一时间的叫号按优先级：转诊患者 4 分、签约居民 2 分、65 岁及以上 1 分，"
        "可以累加；分高者先，同分按登记先后。（口径待核）"
    )


def standing_sentence(standing: Standing) -> str:
    """What was decided for one resident, with the inputs."""
    facts = standing.facts
    return _("转诊：%(referred)s；签约：%(signed)s；年龄：%(age)s 岁。优先级 %(points)s 分。") % {
        "referred": _("是") if facts.referred else _("否"),
        "signed": _("是") if facts.signed else _("否"),
        "age": facts.age,
        "points": standing.points,
    }


def behind_sentence() -> str:
    """Where whoever was passed over, or comes too late, is called."""
    return _(
        "过号后本人回来重新排队的，以及时段结束后才报到的，排在其后 %(count)s 位之后；过号未回来的，候诊的都叫完再叫。（口径待核）"
    ) % {"count": PASSED_BEHIND}


# Figures of the no-show rule: chosen for the platform, to be agreed with each county.
NO_SHOW_WINDOW = timedelta(days=90)
NO_SHOW_LIMIT = 3
NO_SHOW_PAUSE = timedelta(days=30)


def paused_until(missed_on: Sequence[date], today: date) -> date | None:
    """Until which day somebody cannot book alone: 30 days from the third appointment missed within 90 days.

    A doctor or the desk may still book; None when nothing stands against booking.
    """
    recent = sorted(day for day in missed_on if today - NO_SHOW_WINDOW <= day <= today)
    if len(recent) < NO_SHOW_LIMIT:
        return None
    until = recent[-1] + NO_SHOW_PAUSE
    return until if until > today else None


def elders_born_by(day: date) -> date:
    """The last birth date of those who count as old on a day."""
    year = day.year - ELDER_FROM
    # On a 29th of February, the one before counts where that year has none.
    return day.replace(year=year) if (day.month, day.day) != (2, 29) or isleap(year) else date(year, 2, 28)


def age_on(birth_date: date, day: date) -> int:
    """Whole years on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
