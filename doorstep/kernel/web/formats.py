"""How pages write instants, ages, durations and identifying numbers; instants are shown in China time."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.web.speaking import today

CHINA = ZoneInfo("Asia/Shanghai")
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# The length of "2026-11-22 08:05": what isoformat writes before the offset.
_MINUTES = 16


def moment(value: datetime | None) -> str:
    """Return 2026-11-22 08:05 in China time; an absent instant is a dash."""
    if value is None:
        return "—"
    return value.astimezone(CHINA).isoformat(" ", "minutes")[:_MINUTES]


def moment_short(value: datetime | None, now: datetime | None = None) -> str:
    """Return 今天 08:05, 昨天 08:05, 11-20 08:05 or, in another year, the whole date."""
    if value is None:
        return "—"
    local = value.astimezone(CHINA)
    text = local.isoformat(" ", "minutes")[:_MINUTES]
    day_now = now.astimezone(CHINA).toordinal() if now else today()
    distance = local.toordinal() - day_now
    if distance == 0:
        return f"{_('今天')} {text[11:]}"
    if distance == -1:
        return f"{_('昨天')} {text[11:]}"
    if distance == 1:
        return f"{_('明天')} {text[11:]}"
    return text[5:] if local.year == date.fromordinal(day_now).year else text


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """Return 刚刚, 3 分钟前, 2 小时前 or 5 天前; an instant to come reads 3 分钟后."""
    if value is None:
        return "—"
    seconds = int(((now or timezone.now()) - value).total_seconds())
    amount = abs(seconds)
    if amount < MINUTE:
        return _("刚刚") if seconds >= 0 else _("即将")
    if amount < HOUR:
        text = _("%(count)s 分钟前") if seconds > 0 else _("%(count)s 分钟后")
        return text % {"count": amount // MINUTE}
    if amount < DAY:
        text = _("%(count)s 小时前") if seconds > 0 else _("%(count)s 小时后")
        return text % {"count": amount // HOUR}
    text = _("%(count)s 天前") if seconds > 0 else _("%(count)s 天后")
    return text % {"count": amount // DAY}


def day(value: date | None) -> str:
    """Return 2026-11-22; an absent date is a dash."""
    return value.isoformat() if value else "—"


def day_spoken(value: date) -> str:
    """Return 11月24日 周二, as it is said to whoever books a time."""
    weekdays = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    facts = {"month": value.month, "day": value.day, "weekday": weekdays[value.weekday()]}
    return _("%(month)s月%(day)s日 %(weekday)s") % facts


def age(birth_date: date | None, on: date | None = None) -> str:
    """Return 63 岁; under three years months, under one month days, as paediatrics counts."""
    if birth_date is None:
        return "—"
    day_now = on or date.fromordinal(today())
    months = (day_now.year - birth_date.year) * 12 + day_now.month - birth_date.month - (day_now.day < birth_date.day)
    if months >= 36:
        return _("%(count)s 岁") % {"count": months // 12}
    if months >= 1:
        return _("%(count)s 个月") % {"count": months}
    days = (day_now - birth_date).days
    # The hour of birth is not known: nobody is told a figure that may be one hour or twenty-three.
    return _("%(count)s 天") % {"count": days} if days > 0 else _("出生当天")


def duration(value: timedelta | int | float | None) -> str:
    """Return the two largest units of a span given as timedelta or seconds: 6 分 12 秒, 2 小时 5 分, 3 天 4 小时."""
    if value is None:
        return "—"
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    amount = abs(seconds)
    days, hours, minutes = amount // DAY, amount % DAY // HOUR, amount % HOUR // MINUTE
    parts = {"days": days, "hours": hours, "minutes": minutes, "seconds": amount % MINUTE}
    if days:
        text = _("%(days)s 天 %(hours)s 小时") if hours else _("%(days)s 天")
    elif hours:
        text = _("%(hours)s 小时 %(minutes)s 分") if minutes else _("%(hours)s 小时")
    elif minutes:
        text = _("%(minutes)s 分 %(seconds)s 秒") if parts["seconds"] else _("%(minutes)s 分")
    else:
        text = _("%(seconds)s 秒")
    return ("−" if seconds < 0 else "") + text % parts


def number(value: int | float | Decimal | None, places: int | None = None) -> str:
    """Return 12,345 or, with places, 12,345.60; an absent number is a dash."""
    if value is None:
        return "—"
    return f"{value:,}" if places is None else f"{value:,.{places}f}"


def percent(value: float | Decimal | None, places: int = 1) -> str:
    """Return 93.4% of a share between 0 and 1."""
    return "—" if value is None else f"{value * 100:.{places}f}%"


def masked_id(value: str | None) -> str:
    """Return 430281********1234: division and last four stay, birth date and order are hidden."""
    if not value:
        return "—"
    if len(value) < 11:
        return "*" * len(value)
    return f"{value[:6]}{'*' * (len(value) - 10)}{value[-4:]}"


def masked_phone(value: str | None) -> str:
    """Return 138****5678; a short number keeps its last two figures."""
    if not value:
        return "—"
    if len(value) < 8:
        return "*" * (len(value) - 2) + value[-2:]
    return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"


def masked_name(value: str | None) -> str:
    """Return 张* or 张*明: the surname and, from three characters on, the last character stay."""
    if not value:
        return "—"
    if len(value) <= 2:
        return value[0] + "*" * (len(value) - 1)
    return f"{value[0]}{'*' * (len(value) - 2)}{value[-1]}"
