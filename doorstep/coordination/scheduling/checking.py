"""Who may book for whom, out of which share, and what the rule of precedence says: asked before anybody goes for a place."""

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import booking_queries, rules, standing
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.precedence import Standing
from doorstep.coordination.scheduling.rules import QUOTA_ZH, Quota
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident

_READ = ("id", "key", "name", "birth_date", "deceased_on", "organization_id", "consortium_id")


def bookable_resident(resident_id: int, actor: Actor) -> Resident:
    """The resident for whom the actor may book; NotFound when there is none for the actor."""
    check_booker(resident_id, actor)
    # Sealed fields stay sealed: opening them costs more than all the rest of a booking's reading.
    resident = Resident.objects.only(*_READ).filter(id=resident_id).first()
    if resident is None:
        raise NotFound()
    if resident.deceased_on is not None:
        residents.check_living(resident_id=resident_id)
    return resident


def check_booker(resident_id: int | None, actor: Actor) -> None:
    """Raise unless the actor may book at all: a resident for the own family, others with the permission and a unit."""
    if actor.kind is ActorKind.RESIDENT:
        if resident_id not in actor.resident_ids:
            raise NotFound()
        return
    actor.check(Permission.SLOT_BOOK)
    if actor.organization_id is None and not actor.is_system:
        raise NotFound()


def check_wish(origin: str, resident_id: int | None, actor: Actor) -> int | None:
    """Check what is asked for, and return the unit whose shares may be used: the actor's, or the resident's own."""
    check_booker(resident_id, actor)
    if actor.kind is not ActorKind.RESIDENT or resident_id is None:
        if origin not in QUOTA_ZH:
            raise Refused(_("号源类别不存在。"), fields={"origin": _("请从列表中选择号源类别。")})
        return actor.organization_id
    resident = bookable_resident(resident_id, actor)
    _check_origin(origin, resident, actor)
    return resident.organization_id


def check_not_begun(booking: Booking, actor: Actor) -> None:
    """Raise Refused when a resident gives back what has begun: who does not come and says so afterwards still did not come."""
    if actor.kind is ActorKind.RESIDENT and booking.slot.starts_at <= timezone.now():
        raise Refused(_("已到就诊时间，不能自行取消或改约；确有原因的，请联系就诊医院门诊。"))


def check_in_is(booking: Booking) -> str:
    """Whether somebody may check in with a booking now: "open", or "early" before its day, "over" after it."""
    return rules.check_in_is(booking.slot.starts_at, booking.slot.ends_at, now=timezone.now())


def check_day(booking: Booking) -> None:
    """Raise Conflict when somebody checks in on another day than that of the visit: the number would be for nobody's queue."""
    slot, day = booking.slot, check_in_is(booking)
    told = {"time": timezone.localtime(slot.starts_at).strftime("%m-%d %H:%M")}
    match day:
        case "early":
            raise Conflict(_("就诊时间是 %(time)s，就诊当天才能报到。") % told, code="not-the-day")
        case "over":
            raise Conflict(
                _("就诊时间是 %(time)s，已过，不能报到；今天要就诊的，请改约或加号。") % told, code="not-the-day"
            )


def _check_origin(origin: str, resident: Resident, actor: Actor) -> None:
    if origin not in QUOTA_ZH:
        raise Refused(_("号源类别不存在。"), fields={"origin": _("请从列表中选择号源类别。")})
    if origin not in (Quota.OPEN, Quota.CONTRACT):
        raise NotPermitted(permission=Permission.SLOT_BOOK)
    if origin == Quota.CONTRACT and "signed" not in standing_for(resident, Wish(), origin).groups:
        raise Refused(_("签约号只供签约居民预约。"), fields={"origin": _("请选择公开号，或先与家庭医生签约。")})
    check_not_paused(resident)


def check_not_paused(resident: Resident) -> None:
    """Raise Refused while the pause after missed visits keeps somebody from booking alone, a place of the waiting list included."""
    until = booking_queries.paused_until(resident_id=resident.pk)
    if until is not None:
        raise Refused(
            _("您近 90 天内有 3 次预约未到诊，%(day)s 前请由家庭医生或门诊窗口代为预约。") % {"day": until.isoformat()}
        )


def standing_for(resident: Resident, wish: Wish, quota: str, *, signed: bool | None = None) -> Standing:
    """What the rule of precedence says of a resident who comes with this wish and has a place of this quota."""
    referred = quota == Quota.REFERRAL or wish.reference.startswith("referral/")
    return standing.standing_of(resident, day=timezone.localdate(), referred=referred, signed=signed)
