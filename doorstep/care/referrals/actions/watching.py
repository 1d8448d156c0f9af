"""What the house watches by itself: that nothing is dark, and the figures of the boards that people look at."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from doorstep.care.referrals import flow_queries
from doorstep.care.referrals.flow_queries import Board
from doorstep.care.referrals.models import KeptBoard, Referral
from doorstep.care.referrals.states import ENDED
from doorstep.coordination.notices.actions import tell
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations import queries as organizations

# A board is counted anew when it is older than this, for as long after the last look as that.
REFRESH, WATCHED = timedelta(seconds=60), timedelta(minutes=15)
# What is older is not shown any more: whoever asks then waits for the count.
STALE = timedelta(minutes=5)
# How many dark ones are called out in one transaction.
_MOST = 100


def board_now(*, actor: Actor, period: str) -> tuple[Board, datetime]:
    """The board of a period and when it was counted: the kept one, or counted now when nobody has looked for a while."""
    now = timezone.now()
    scope = flow_queries.scope_of(actor)
    kept = KeptBoard.objects.filter(scope=scope, period=period).first()
    if kept is not None and now - kept.counted_at < STALE:
        if now - kept.asked_at > REFRESH:
            KeptBoard.objects.filter(pk=kept.pk).update(asked_at=now)
        return flow_queries.board_from(kept.figures), kept.counted_at
    return _count(scope, actor=actor, period=period, now=now, asked_at=now), now


def refresh_boards(*, actor: Actor, now: datetime | None = None) -> int:
    """Count the boards anew that somebody looked at lately; drop those that nobody asks for any more. Returns how many."""
    now = now or timezone.now()
    KeptBoard.objects.filter(asked_at__lt=now - timedelta(days=1)).delete()
    old = KeptBoard.objects.filter(asked_at__gte=now - WATCHED, counted_at__lt=now - REFRESH)
    found = list(old.order_by("counted_at")[:20])
    for kept in found:
        whose = replace(actor, reach=tuple(kept.reach))
        _count(kept.scope, actor=whose, period=kept.period, now=now, asked_at=kept.asked_at)
    return len(found)


def watch_dark(*, actor: Actor) -> int:
    """Mark open referrals that are on nobody's list and call the lead hospital; unmark those that are again. Returns how many."""
    waiting = Task.objects.filter(kind__startswith="referral.", closed_at__isnull=True)
    theirs = waiting.filter(item_id=OuterRef("pk"))
    Referral.objects.filter(dark_since__isnull=False).filter(Exists(theirs)).update(dark_since=None)
    # One set less the other, each read once: asking for the line of each open referral by itself, a hundred thousand times, kept a
    # core busy for a third of every half minute.
    open_ones = Referral.objects.exclude(state__in=ENDED).filter(dark_since__isnull=True)
    dark = open_ones.order_by().values("pk").difference(waiting.order_by().values("item_id"))
    found = list(Referral.objects.filter(pk__in=[one["pk"] for one in dark[:_MOST]]).order_by("id"))
    for referral in found:
        Referral.objects.filter(pk=referral.pk).update(dark_since=timezone.now())
        lead = organizations.lead_of(organization_id=referral.source_id, day=timezone.localdate())
        for unit in dict.fromkeys(one for one in (referral.source_id, lead) if one):
            about, link = referral.resident_id, referral.subject
            tell(kind="referral-dark", organization_id=unit, about=about, link=link, urgent=True)
    return len(found)


def _count(scope: str, *, actor: Actor, period: str, now: datetime, asked_at: datetime) -> Board:
    found = flow_queries.board(actor=actor, period=period)
    KeptBoard.objects.update_or_create(
        scope=scope,
        period=period,
        defaults={
            "figures": flow_queries.board_to(found),
            "reach": sorted(actor.reach),
            "counted_at": now,
            "asked_at": asked_at,
        },
    )
    return found
