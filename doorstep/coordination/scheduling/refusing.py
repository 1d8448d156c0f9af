"""Saying that no place was had: why, and where the next one is."""

import threading
import time
from datetime import datetime
from typing import NoReturn, TypeVar

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import queries
from doorstep.coordination.scheduling.models import Slot
from doorstep.coordination.scheduling.outcomes import AlreadyBooked, NoPlaceLeft, named, say
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import ActorKind
from doorstep.kernel.access.refusals import Conflict, NotFound

_Value = TypeVar("_Value")

# Machines come in bursts for one release, and all are told the same next time: it is looked up once a second, not for each.
# That the place itself is gone is never remembered, it is read every time.
_REMEMBERED_SECONDS = 1.0
_MOST = 1_000
_lock = threading.Lock()
_Told = tuple[float, str, SlotChoice | None]
_told: dict[tuple[object, ...], _Told] = {}
# Who comes while somebody looks it up waits for that one's answer, and for no longer than a moment: the looker may itself wait
# for a connection that those who wait hold.
_WAITS_SECONDS = 0.3
_turns: dict[tuple[object, ...], threading.Lock] = {}
# Before that moment a clinic has nothing for such askers: not looked at again for half a minute, or every refusal of a long
# morning would pass over all that is full. A place that somebody gives back meanwhile is found by searching for slots at once.
_FULL_UNTIL_SECONDS = 30.0
_full: dict[tuple[object, ...], tuple[float, datetime]] = {}


def refuse_early(ask: Ask) -> NoReturn:
    """The places are kept for those who come first by rule until an hour."""
    if ask.slot is None:
        raise NotFound()
    opens_at = Slot.objects.values_list("opens_at", flat=True).get(key=ask.slot)
    message = _("此号源 %(time)s 前仅供转诊患者、签约居民和 65 岁及以上老人预约，请届时再约。") % {
        "time": timezone.localtime(opens_at).strftime("%m-%d %H:%M")
    }
    raise Conflict(message, fields={"slot": message}, code="not-yet-open")


def refuse_booked(ask: Ask, resident_id: int) -> None:
    """Raise AlreadyBooked when the person has a place of this slot already; do nothing for others."""
    if ask.slot is None:
        return
    found = Slot.objects.filter(
        key=ask.slot, bookings__resident_id=resident_id, bookings__state__in=EXPECTED
    ).values_list("starts_at", flat=True)
    if (starts_at := found.first()) is not None:
        at = timezone.localtime(starts_at).strftime("%m-%d %H:%M")
        own = ask.actor.kind is ActorKind.RESIDENT
        message = (
            _("您已约上 %(time)s 的号，不必重复预约。") if own else _("该居民已约上 %(time)s 的号，不必重复预约。")
        ) % {"time": at}
        raise AlreadyBooked(message, next_slot=None)


def refuse(ask: Ask, *, over: bool) -> NoReturn:
    """Say that the slot is over or that the last place went, and which one is next."""
    if ask.actor.kind is not ActorKind.CLIENT:
        message, found = _sentence(ask, over=over, remembers=False)
        raise NoPlaceLeft(message, next_slot=found)
    name = (ask.slot, ask.origin, ask.actor.organization_id, over, get_language())
    known = _remembered(name) or _looked_up(name, ask, over=over)
    raise NoPlaceLeft(known[1], next_slot=known[2])


def _remembered(name: tuple[object, ...]) -> _Told | None:
    with _lock:
        known = _told.get(name)
    return known if known is not None and known[0] >= time.monotonic() else None


def _looked_up(name: tuple[object, ...], ask: Ask, *, over: bool) -> _Told:
    with _lock:
        if len(_turns) >= _MOST:
            _turns.clear()
        turn = _turns.setdefault(name, threading.Lock())
    mine = turn.acquire(timeout=_WAITS_SECONDS)
    try:
        known = _remembered(name)
        if known is None:
            known = (time.monotonic() + _REMEMBERED_SECONDS, *_sentence(ask, over=over, remembers=True))
            _keep(_told, name, known)
        return known
    finally:
        if mine:
            turn.release()


def _sentence(ask: Ask, *, over: bool, remembers: bool) -> tuple[str, SlotChoice | None]:
    if ask.slot is None:
        raise NotFound()
    slot = queries.slot_detail(slot_key=ask.slot, origin=ask.origin, actor=ask.actor)
    found = (_next_remembered if remembers else _next)(slot, ask)
    what = _("所选号源已开诊或已停诊，不能再约。") if over else _("%(who)s %(time)s 的号刚刚约满。") % named(slot)
    return say(what, found), found


def _next(slot: SlotChoice, ask: Ask, since: datetime | None = None) -> SlotChoice | None:
    return queries.next_free(slot=slot, origin=ask.origin, actor=ask.actor, now=ask.now, since=since)


def _next_remembered(slot: SlotChoice, ask: Ask) -> SlotChoice | None:
    name = (slot.schedule_key, ask.origin, ask.actor.organization_id)
    with _lock:
        known = _full.get(name)
    if known is not None and known[0] >= time.monotonic():
        return _next(slot, ask, since=known[1])
    found = _next(slot, ask)
    if found is not None and found.schedule_key == slot.schedule_key:
        _keep(_full, name, (time.monotonic() + _FULL_UNTIL_SECONDS, found.starts_at))
    return found


def _keep(memory: dict[tuple[object, ...], _Value], name: tuple[object, ...], value: _Value) -> None:
    with _lock:
        if len(memory) >= _MOST:
            memory.clear()
        memory[name] = value
