"""The telephone desk's rules and sentences: when a caller counts as known, and what the operator reads out. Pure."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

# How a caller came to count as known. Facts that others may know too (number, name, end of the telephone number) only allow
# calling back: whoever answers the registered telephone is heard. The code from the own telephone needs no call. Platform default.
CODE, CALLED_BACK = "code", "callback"
# Minutes for which a caller who was found stays on the desk's page.
MINUTES = 10


def known_at_once(second_fact: str) -> bool:
    """Whether the fact that was given stands for the registered telephone itself."""
    return second_fact == CODE


def greeting(house: str) -> str:
    """The first sentence, before anything is asked."""
    return _("您好，%(house)s预约服务台。为保护您的信息，请报一下身份证号、姓名和登记手机的后四位。") % {"house": house}


def calling_back(*, guardian: bool) -> str:
    """What is said before hanging up to call the registered telephone; for a child with the guardian (民法典第 27 条)."""
    if guardian:
        return _("为确认您是孩子的监护人，请先挂机，我马上拨打孩子登记的手机，请接听。")
    return _("为确认是您本人，请先挂机，我马上拨打您登记的手机，请接听。")


def _spoken(at: datetime) -> str:
    """A day without its year, and the time, as one says them in the reader's language."""
    return f"{date_format(at, 'MONTH_DAY_FORMAT')} {at:%H:%M}"


def offering(who: str, at: datetime) -> str:
    """The offer of a time, to be answered with yes or no."""
    return _("%(who)s %(time)s 有号，为您约这个时间可以吗？") % {"who": who, "time": _spoken(at)}


def booked(house: str, department: str, who: str, at: datetime) -> str:
    """What is read out once the place is booked."""
    return _(
        "已为您约好：%(time)s，%(house)s%(department)s，%(who)s。请带身份证，到院后先报到取号；不能来请提前来电取消。请问还需要别的帮助吗？"
    ) % {"time": _spoken(at), "house": house, "department": department, "who": who}


def cancelled() -> str:
    """What is read out once a booking was given back."""
    return _("您的预约已经取消，号已让给其他人。请问还需要另约时间吗？")
