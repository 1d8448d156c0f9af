"""The release rule: when a share that nobody took goes on to whom. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.rules import CHINA, Quota, quota_name


@dataclass(frozen=True, slots=True)
class Step:
    """What is left of `quota` goes to `to_quota` at an hour so many days before; to itself: from one unit to all units."""

    quota: str
    to_quota: str
    days_before: int
    at: time

    def due(self, starts_at: datetime) -> datetime:
        """When the step falls due for a slot."""
        day = starts_at.astimezone(CHINA).date() - timedelta(days=self.days_before)
        return datetime.combine(day, self.at, tzinfo=CHINA)


_FOUR = time(16)
# Platform default, step by step upward: one centre, all centres, referrals, everybody.
DEFAULT: tuple[Step, ...] = (
    Step(Quota.COMMUNITY, Quota.COMMUNITY, 3, _FOUR),
    Step(Quota.COMMUNITY, Quota.REFERRAL, 2, _FOUR),
    Step(Quota.COMMUNITY, Quota.OPEN, 1, _FOUR),
    Step(Quota.CONTRACT, Quota.CONTRACT, 3, _FOUR),
    Step(Quota.CONTRACT, Quota.REFERRAL, 2, _FOUR),
    Step(Quota.CONTRACT, Quota.OPEN, 1, _FOUR),
    Step(Quota.REFERRAL, Quota.OPEN, 1, _FOUR),
    Step(Quota.OWN, Quota.OPEN, 1, _FOUR),
)


def order(steps: Iterable[Step]) -> list[Step]:
    """The steps of a rule in the order in which they fall due."""
    return sorted(steps, key=lambda step: (-step.days_before, step.at, step.quota, step.to_quota))


def goes_to(steps: Iterable[Step], *, quota: str, starts_at: datetime, now: datetime) -> str | None:
    """Whom a place that was given to `quota` belongs to now; None while it is still kept for its unit."""
    due = [step for step in order(steps) if step.quota == quota and step.due(starts_at) <= now]
    return due[-1].to_quota if due else None


def rule_sentences(steps: Sequence[Step]) -> list[str]:
    """The rule in words, a sentence per quota."""
    sentences = []
    for quota in Quota:
        own = [step for step in order(steps) if step.quota == quota]
        if not own:
            continue
        parts = [
            _("就诊前 %(days)s 天 %(at)s 起放给%(whom)s")
            % {"days": step.days_before, "at": step.at.strftime("%H:%M"), "whom": _whom(step)}
            for step in own
        ]
        sentences.append(
            _("%(quota)s无人预约时：%(steps)s。") % {"quota": quota_name(quota), "steps": _("；").join(parts)}
        )
    return sentences


def _whom(step: Step) -> str:
    if step.to_quota == step.quota:
        return _("全部%(quota)s") % {"quota": quota_name(step.quota)}
    return _("所有人") if step.to_quota == Quota.OPEN else quota_name(step.to_quota)
