"""A simulated clock: acts in the order of their instants, and between them what the house does by itself."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import time_machine
from django.db.models import Max

from doorstep.demo.cast import chores
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.subscriptions import handlers_of_name
from doorstep.kernel.events.tasks import handle_event

# How often the house looks at its clocks while nothing else happens; by day it is every second.
_LOOK = timedelta(minutes=5)


class NobodyThere(Exception):
    """The act has nobody to do it for or nothing to follow from."""


@dataclass(slots=True)
class Done:
    """What came of the acts: done and refused by kind, with the sentence of each refusal."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Agenda:
    """Acts by instant; an act may put further ones. What lies after `until` stays undone: the county is in the midst of it."""

    def __init__(self, *, until: datetime) -> None:
        self._until = until
        self._waiting: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self._order = count()
        self._looked: datetime | None = None
        self._handled = 0
        self.outcome = Done()

    def put(self, at: datetime, kind: str, act: Callable[[], None]) -> None:
        """Plan an act."""
        heapq.heappush(self._waiting, (at, next(self._order), kind, act))

    def run(self) -> Done:
        """Do everything up to `until`; an act that is refused is counted and the day goes on."""
        with acting(system_actor(Purpose.HANDLER)):
            self._handled = EventRow.objects.aggregate(last=Max("id"))["last"] or 0
        while self._waiting and self._waiting[0][0] <= self._until:
            at, _number, kind, act = heapq.heappop(self._waiting)
            self._look_at_clocks(at)
            with time_machine.travel(at, tick=True):
                self._do(kind, act)
                self._react()
        return self.outcome

    def _do(self, kind: str, act: Callable[[], None]) -> None:
        try:
            act()
        except (Refused, NobodyThere, User.DoesNotExist) as error:
            self.outcome.refused[kind] += 1
            self.outcome.reasons[f"{kind}: {error or type(error).__name__}"] += 1
        else:
            self.outcome.done[kind] += 1

    def _look_at_clocks(self, at: datetime) -> None:
        """Let clocks pass one after the other, not all at once at the next act."""
        if self._looked is None:
            self._looked = at
        # Of a night without an act only the end is looked at: whatever fell due in it is told then.
        moment = max(self._looked + _LOOK, at - 6 * _LOOK)
        while moment <= at:
            with time_machine.travel(moment, tick=True):
                for chore in chores():
                    chore()
                self._react()
            self._looked, moment = moment, moment + _LOOK

    def _react(self) -> None:
        """Run the handlers of new events now; the worker will find that it was done."""
        while True:
            with acting(system_actor(Purpose.HANDLER)):
                rows = list(EventRow.objects.filter(id__gt=self._handled).order_by("id").values_list("id", "name"))
            if not rows:
                return
            for event_id, name in rows:
                for handler in handlers_of_name(name):
                    handle_event(event_id=event_id, handler=handler.name)
                self._handled = event_id
