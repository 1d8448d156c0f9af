"""Pages of the documentation that the code writes itself, so that they cannot be wrong: states, layers' apps, tables.

python -m doorstep.site.documentation write   renews docs/generated
python -m doorstep.site.documentation check   fails and names the pages that are not as the code says
"""

import importlib
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.apps import apps

from doorstep.kernel.database.policies import declared
from doorstep.kernel.workflow.machine import Machine, State

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs/generated"
NOTE = "<!-- Written by bin/docs write; changes here are lost. -->\n\n"


def main(arguments: list[str]) -> int:
    """Write or check the generated pages."""
    django.setup()
    pages = {f"{name}.md": text for name, text in _pages().items()}
    if arguments == ["write"]:
        TARGET.mkdir(parents=True, exist_ok=True)
        for path in TARGET.glob("*.md"):
            path.unlink()
        for name, text in pages.items():
            (TARGET / name).write_text(text, encoding="utf-8")
        return 0
    found = {path.name: path.read_text(encoding="utf-8") for path in TARGET.glob("*.md")}
    stale = sorted(name for name in found.keys() | pages.keys() if found.get(name) != pages.get(name))
    for name in stale:
        print(f"docs/generated/{name} is not as the code says: run bin/docs write.")
    return 1 if stale else 0


def machines() -> list[Machine]:
    """Every state machine of our apps, by name."""
    found: dict[str, Machine] = {}
    for config in apps.get_app_configs():
        if not config.name.startswith("doorstep.") or not (Path(config.path) / "states.py").exists():
            continue
        for value in vars(importlib.import_module(f"{config.name}.states")).values():
            if isinstance(value, Machine):
                found[value.name] = value
    return [found[name] for name in sorted(found)]


def _pages() -> dict[str, str]:
    pages = {f"states-{machine.name.replace('.', '-')}": _machine(machine) for machine in machines()}
    pages["tables"] = _tables()
    return pages


def _machine(machine: Machine) -> str:
    """A diagram of the table and the table itself."""
    lines = [NOTE + f"# {machine.zh} · {machine.en}\n", "```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.code}: {state.zh} {state.en}" for state in machine.states]
    for way in machine.transitions:
        for source in way.sources or ("[*]",):
            lines.append(f"    {source} --> {way.target}: {way.zh} ({way.side})")
    lines += [f"    {state.code} --> [*]" for state in machine.states if state.final]
    lines += ["```", "", "| state | owner | clock | then | FHIR | source |", "|---|---|---|---|---|---|"]
    lines += [_state(state) for state in machine.states]
    lines += ["", "| verb | from | to | side | event | permission |", "|---|---|---|---|---|---|"]
    for way in machine.transitions:
        sources = ", ".join(way.sources) or "—"
        cells = (f"{way.zh} {way.verb}", sources, way.target, way.side, way.emits.__name__, way.permission or "—")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _state(state: State) -> str:
    clock, then, source = "—", "—", "—"
    if state.clock is not None:
        clock = _span(state.clock.due) + (" of working time" if state.clock.working_time else "")
        if state.clock.warn is not None:
            clock += f", warned after {_span(state.clock.warn)}"
        then = ", ".join(f"{step.to} ({_span(step.due)})" for step in state.clock.escalate) or "—"
        source = state.clock.source + ("" if state.clock.verified else "（口径待核）")
    return f"| {state.zh} {state.code} | {state.owner or '—'} | {clock} | {then} | {state.fhir} | {source} |"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    for size, name in ((1440, "d"), (60, "h")):
        if minutes and minutes % size == 0:
            return f"{minutes // size} {name}"
    return f"{minutes} min"


def _tables() -> str:
    """Every table of ours: who may see its rows, and what the application may do with it."""
    lines = [NOTE + "# Tables\n", "| app | table | rows behind the wall | application may |", "|---|---|---|---|"]
    for config in apps.get_app_configs():
        for model in config.get_models(include_auto_created=True):
            if not model.__module__.startswith("doorstep."):
                continue
            given = getattr(model, "app_privileges", None)
            usual = "read, append" if getattr(model, "append_only", False) else "read, append, change, delete"
            may = ", ".join(given).lower() if given is not None else usual
            wall = "yes" if declared(model) is not None else "no"
            lines.append(f"| {config.name.removeprefix('doorstep.')} | {model._meta.db_table} | {wall} | {may} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
