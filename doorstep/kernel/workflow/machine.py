"""The form of a state machine: a table of states with owner and clock, and of transitions with verb and permission."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from doorstep.kernel.events.event import Event


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is next in line when a clock has run out, and how long that one has. `to` is resolved by the line of duty."""

    to: str
    due: timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """How long the owner has, when to be warned, and who is next. `source` names where the figure comes from."""

    due: timedelta
    source: str
    warn: timedelta | None = None
    escalate: tuple[Escalation, ...] = ()
    working_time: bool = False
    verified: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """One state: its labels, the side that must act next (None when nobody must), its clock and its FHIR status."""

    code: str
    zh: str
    en: str
    fhir: str
    owner: str | None = None
    permission: str = ""
    clock: Clock | None = None
    final: bool = False
    task_zh: str = ""
    task_en: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from some states to another: who may go it and what it says to the world.

    `side` names the organisation that acts ("source", "target" …), "resident" for the resident, "system" for clocks and
    handlers. `style`: primary, secondary or danger, for its button. `listed=False` keeps it from the row of buttons
    when a page of its own leads there. `variant` names the things for which this way stands in place of the verb's usual one
    (WorkItem.variant). `moot`: what a stage waited for falls away by it instead of being done, so that its time inside the clock
    is no figure of whoever had the stage; one that comes after the clock is late all the same.
    """

    verb: str
    zh: str
    en: str
    sources: tuple[str, ...]
    target: str
    side: str
    emits: type[Event]
    permission: str = ""
    reason: bool = False
    style: str = "secondary"
    listed: bool = True
    variant: str = ""
    moot: bool = False


@dataclass(frozen=True)
class Machine:
    """A whole table; building one that contradicts itself raises ValueError at import."""

    name: str
    zh: str
    en: str
    states: Sequence[State]
    transitions: Sequence[Transition]
    _states: dict[str, State] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the table: names meet, every state is reachable, every state has an exit or is final."""
        table = {state.code: state for state in self.states}
        object.__setattr__(self, "_states", table)
        if len(table) != len(self.states):
            raise ValueError(f"{self.name}: a state is listed twice")
        leaving = {source for way in self.transitions for source in way.sources}
        entered = {way.target for way in self.transitions}
        for code in leaving | entered:
            if code not in table:
                raise ValueError(f"{self.name}: state {code} is not in the table")
        for state in self.states:
            if state.final == (state.code in leaving):
                raise ValueError(f"{self.name}: {state.code} must be final or have a way out, not both")
            if state.code not in entered:
                raise ValueError(f"{self.name}: no way leads to {state.code}")
            if state.clock and not state.owner:
                raise ValueError(f"{self.name}: {state.code} has a clock but no owner")
        pairs = [(way.verb, way.variant, source) for way in self.transitions for source in way.sources or ("",)]
        if len(set(pairs)) != len(pairs):
            raise ValueError(f"{self.name}: a verb leaves one state twice")

    def state(self, code: str) -> State:
        """The state of this code."""
        return self._states[code]

    def transition(self, verb: str, source: str, variant: str = "") -> Transition | None:
        """The way that `verb` goes from `source` ("" for a thing that does not exist yet), or None; a variant's own way first."""
        usual = None
        for way in self.transitions:
            if way.verb == verb and (source in way.sources or (source == "" and not way.sources)):
                if way.variant == variant:
                    return way
                usual = usual if way.variant else way
        return usual

    def verbs(self, source: str, variant: str = "") -> list[Transition]:
        """Every way out of a state, in the order of the table, for things of a variant."""
        ways = [way for way in self.transitions if source in way.sources and way.variant in ("", variant)]
        own = {way.verb for way in ways if way.variant}
        return [way for way in ways if way.variant or way.verb not in own]
