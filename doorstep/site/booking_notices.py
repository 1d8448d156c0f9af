"""What residents are sent of bookings that others made, gave back or called off, that they missed, and of their place on a waiting list."""

from collections.abc import Mapping

from django.urls import reverse

from doorstep.coordination.notices.actions import tell
from doorstep.coordination.notices.texts import Text
from doorstep.kernel.access.actor import Actor

TEXTS: dict[str, Text] = {
    "booking-made": Text("已为您预约：%(time)s %(place)s", "Booked for you: %(time)s %(place)s"),
    "booking-given-back": Text("您的预约已取消：%(time)s %(place)s", "Your booking was cancelled: %(time)s %(place)s"),
    "booking-called-off": Text(
        "停诊通知：%(time)s %(place)s 因“%(reason)s”停诊，请选择新的时间",
        "The clinic %(time)s %(place)s is stopped (%(reason)s); please choose another time",
        "warn",
    ),
    "booking-missed": Text(
        "您 %(time)s 在 %(place)s 的预约未到诊，90 天内第 %(count)s 次；满 3 次将暂停自助预约 30 天",
        "You missed the appointment %(time)s %(place)s, the number %(count)s in 90 days; after 3 you cannot book alone for 30 days",
        "warn",
    ),
    "booking-paused": Text(
        "您 %(time)s 在 %(place)s 的预约未到诊，90 天内第 %(count)s 次；即日起至 %(until)s 暂停自助预约，需要就诊请由家庭医生或门诊窗口代为预约",
        "You missed the appointment %(time)s %(place)s, the number %(count)s in 90 days: you cannot book alone until %(until)s;"
        " your family doctor or the hospital's desk books for you",
        "warn",
    ),
    "booking-excused": Text(
        "您 %(time)s 在 %(place)s 的未到诊已更正（%(reason)s），不再计入爽约",
        "Your missed appointment %(time)s %(place)s was corrected (%(reason)s) and no longer counts",
    ),
    "booking-left": Text(
        "您 %(time)s 在 %(place)s 报到后未就诊，不计入爽约；仍需就诊请重新预约",
        "You came to %(place)s at %(time)s and were not seen; it is not counted as missed. Book again if you still need a visit",
    ),
    "booking-restored": Text(
        "恢复出诊：您 %(time)s %(place)s 的预约已恢复，请按时就诊，来不了请提前取消",
        "The clinic takes place after all: your booking %(time)s %(place)s stands again; cancel it if you cannot come",
    ),
    "booking-not-restored": Text(
        "%(time)s %(place)s 恢复出诊，但原时间未能为您保留（%(reason)s），请选择新的时间",
        "The clinic %(time)s %(place)s takes place after all, but your old time could not be kept (%(reason)s); please choose another",
        "warn",
    ),
    "booking-kept-moved": Text(
        "%(time)s %(place)s 恢复出诊；您已改约到 %(moved)s，改约后的预约不变",
        "The clinic %(time)s %(place)s takes place after all; you had moved to %(moved)s, and that booking stands",
    ),
    "waiting-offer": Text(
        "候补有号：%(time)s %(place)s，请在 %(until)s 前确认，逾期让给下一位",
        "A place for you: %(time)s %(place)s; confirm before %(until)s, then it goes to the next in line",
        "warn",
    ),
    "waiting-expire": Text(
        "候补号源 %(time)s %(place)s 未在时限内确认，已让给下一位；您仍在候补，再逾期一次候补失效",
        "The place %(time)s %(place)s was not confirmed in time and went on; you still wait, once more and the wait ends",
        "warn",
    ),
    "waiting-lapse": Text(
        "您在 %(place)s 的候补已失效，仍需就诊请重新登记",
        "Your wait at %(place)s has ended; join again if you still need a visit",
        "warn",
    ),
    "waiting-settle": Text(
        "您已约上 %(time)s %(place)s，这个科室的候补已结束",
        "You have a booking %(time)s %(place)s; your wait for this department has ended",
    ),
}


def tell_resident(resident_id: int, kind: str, params: Mapping[str, str], actor: Actor) -> None:
    """Send the notice; it leads to the resident's own bookings."""
    tell(kind=kind, resident_id=resident_id, params=params, link=reverse("scheduling:mine"), actor=actor)
