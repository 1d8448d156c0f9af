"""What each kind of notice says, in Chinese and English. Other apps add theirs through `install`.

A text never carries a diagnosis or a result: it says what waits and where; the thing itself is behind the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.workflow import catalogue


@dataclass(frozen=True, slots=True)
class Text:
    """A text with %(name)s places for the parameters, and the tone it is shown in: neutral, warn or critical."""

    zh: str
    en: str
    tone: str = "neutral"


_texts: dict[str, Text] = {
    "task-warned": Text("“%(task)s”即将超时", "Running out of time: %(task)s", "warn"),
    "task-overdue": Text("“%(task)s”已超时，请立即处理", "Overdue: %(task)s", "critical"),
    "task-escalated": Text(
        "“%(task)s”对方未按时处理，已转交您单位", "Handed on to your unit, not done in time: %(task)s", "critical"
    ),
    "task-taken-away": Text("“%(task)s”已超时，转交上级单位", "Not done in time and handed on: %(task)s", "warn"),
    "critical-value": Text("有危急值待确认", "A critical value needs your acknowledgement", "critical"),
    "ecg-reported": Text("心电报告已签发", "An ECG report was signed"),
    "referral-submitted": Text("收到一份转诊申请", "A referral has arrived"),
    "referral-accepted": Text("转诊已被接收", "A referral was accepted"),
    "referral-returned": Text("转诊被退回，请补充资料", "A referral was returned for information", "warn"),
    "referral-declined": Text("转诊未被接收，请查看原因", "A referral was declined", "warn"),
    "return-submitted": Text("收到一份下转康复计划", "A recovery plan has arrived"),
    "follow-up-due": Text("有随访到期", "A follow-up is due", "warn"),
    "booking-cancelled": Text("一项预约被取消，请重新安排", "A booking was cancelled", "warn"),
    "contract-due": Text("%(team)s签约将于 %(day)s 到期", "The contract with %(team)s ends on %(day)s", "warn"),
    "record-viewed": Text("有机构紧急查阅了您的档案", "Your record was opened in an emergency", "warn"),
}
_GENERAL = Text("您有一条新通知", "You have a new notice")


def install(texts: Mapping[str, Text]) -> None:
    """Add the texts of other kinds; the site calls it once at start."""
    _texts.update(texts)


def text_of(kind: str) -> Text:
    """The text of a kind; a general one for a kind that nobody installed."""
    return _texts.get(kind, _GENERAL)


def say(kind: str, params: Mapping[str, Any], *, english: bool) -> str:
    """The sentence of a notice. A parameter `task` ("machine.state") is named by the machine's own words."""
    text = text_of(kind)
    filled = {name: str(value) for name, value in params.items()}
    stage = catalogue.stage(filled.get("task", ""))
    if stage is not None:
        filled["task"] = stage.label(english=english)
    try:
        return (text.en if english else text.zh) % filled
    except KeyError:
        # A notice whose facts were lost still tells that something waits.
        return _GENERAL.en if english else _GENERAL.zh
