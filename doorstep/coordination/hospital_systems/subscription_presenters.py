"""What the pages of subscriptions show in words."""

import re
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.kernel.subscriptions.queries import ShownRules, ShownSubscription
from doorstep.kernel.subscriptions.topics import topic_at

_NUMBER = re.compile(r"(?<![0-9a-fA-F-])\d{7,}[0-9Xx]?(?![0-9a-fA-F-])")
TONES = {"requested": "info", "active": "ok", "error": "critical", "off": "plain"}
TONES_OF_NOTICES = {"waiting": "info", "delivered": "ok", "dropped": "plain", "skipped": "warn"}


def tone_of(subscription: ShownSubscription) -> str:
    """The colour of a subscription's state."""
    return TONES[subscription.state]


def criteria_of(subscription: ShownSubscription) -> str:
    """The search without whole numbers: a client may have asked for one person by id card or phone."""
    return _NUMBER.sub("••••", subscription.criteria)


def subject_of(subscription: ShownSubscription) -> str:
    """What it is about: the topic by its name, or the search as the client wrote it."""
    if subscription.is_line:
        return _("发送给院内系统的 HL7 v2 消息")
    topic = topic_at(subscription.topic) if subscription.topic else None
    if topic is None:
        return criteria_of(subscription)
    return topic.title if (get_language() or "").startswith("en") else topic.title_zh


def rules_of(registers: bool, rule: ShownRules | None) -> dict[str, Any]:
    """What stands in the form of a system."""
    shown = rule or ShownRules()
    return {
        "registers": registers,
        "hosts": "\n".join(shown.hosts),
        "attempts": shown.attempts,
        "first_wait": shown.first_wait,
        "longest_wait": shown.longest_wait,
        "timeout": shown.timeout,
    }
