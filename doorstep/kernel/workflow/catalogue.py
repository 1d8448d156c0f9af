"""All machines by name, as the site lists them: what pages and diagrams need to call a stage by its words."""

from collections.abc import Iterable
from dataclasses import dataclass

from doorstep.kernel.workflow.machine import Machine, State

_machines: dict[str, Machine] = {}


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of work: a state of a machine, as "machine.state"."""

    machine: Machine
    state: State

    def label(self, *, english: bool) -> str:
        """What has to be done in this stage, in words."""
        if english:
            return self.state.task_en or f"{self.machine.en}: {self.state.en}"
        return self.state.task_zh or f"{self.machine.zh}：{self.state.zh}"


_stages: dict[str, Stage] = {}


def install(machines: Iterable[Machine]) -> None:
    """List every machine; the site calls it once at start."""
    _machines.clear()
    _machines.update({machine.name: machine for machine in machines})
    _stages.clear()
    _stages.update(
        {
            f"{machine.name}.{state.code}": Stage(machine=machine, state=state)
            for machine in _machines.values()
            for state in machine.states
        }
    )


def machines() -> list[Machine]:
    """Every machine, by name."""
    return [_machines[name] for name in sorted(_machines)]


def moot_ways() -> list[str]:
    """The ways by which a stage ends without its work, as "machine.verb"."""
    return sorted({f"{one.name}.{way.verb}" for one in _machines.values() for way in one.transitions if way.moot})


def stage(kind: str) -> Stage | None:
    """The stage behind a task's kind, or None when the table no longer has it."""
    return _stages.get(kind)
