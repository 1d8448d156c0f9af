"""A state machine as a page of the docs: a Mermaid diagram and its two tables, drawn from the machine itself."""

from datetime import timedelta

from doorstep.kernel.workflow.machine import Clock, Machine


def page(machine: Machine) -> str:
    """The Markdown page of one machine."""
    lines = [
        f"# {machine.zh} ({machine.en})",
        "",
        f"Machine `{machine.name}`. Drawn from its table by `bin/docs`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *(f'    state "{state.zh} {state.en}" as {_id(state.code)}' for state in machine.states),
        *(
            f"    {_id(source) if source else '[*]'} --> {_id(way.target)}: {way.zh} {way.verb}{f' ({way.variant})' if way.variant else ''}"
            for way in machine.transitions
            for source in way.sources or ("",)
        ),
        *(f"    {_id(state.code)} --> [*]" for state in machine.states if state.final),
        "```",
        "",
        "| state | label | owner | clock | next in line | FHIR |",
        "|---|---|---|---|---|---|",
    ]
    for state in machine.states:
        lines.append(
            f"| `{state.code}` | {state.zh} · {state.en} | {state.owner or '–'} | {_clock(state.clock)} |"
            f" {_line(state.clock)} | {state.fhir} |"
        )
    lines += ["", "| verb | label | from | to | side | permission | event |", "|---|---|---|---|---|---|---|"]
    for way in machine.transitions:
        sources = ", ".join(f"`{source}`" for source in way.sources) or "–"
        lines.append(
            f"| `{way.verb}`{f' ({way.variant})' if way.variant else ''} | {way.zh} · {way.en}{' (reason)' if way.reason else ''} | {sources} | `{way.target}` |"
            f" {way.side} | {way.permission or '–'} | {way.emits.__name__} |"
        )
    return "\n".join([*lines, ""])


def _id(code: str) -> str:
    return code.replace("-", "_")


def _clock(clock: Clock | None) -> str:
    if clock is None:
        return "–"
    warned = f", warned at {_length(clock.warn)}" if clock.warn else ""
    kind = " of working time" if clock.working_time else ""
    flag = "" if clock.verified else " (not verified)"
    return f"{_length(clock.due)}{kind}{warned}; {clock.source}{flag}"


def _line(clock: Clock | None) -> str:
    if clock is None or not clock.escalate:
        return "–"
    return " → ".join(f"{step.to} ({_length(step.due)})" for step in clock.escalate)


def _length(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    if minutes % 60 == 0:
        return f"{minutes // 60} h"
    return f"{minutes} min"
