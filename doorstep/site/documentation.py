"""Pages of the documentation that the code writes itself, so that they cannot be wrong. States are drawn by `draw_states`.

python -m doorstep.site.documentation write   renews docs/generated
python -m doorstep.site.documentation check   fails and names the pages that are not as the code says
"""

import sys
from pathlib import Path

import django
from django.apps import apps

from doorstep.kernel.database.policies import declared
from doorstep.site import fhir_pages

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


def _pages() -> dict[str, str]:
    return {"tables": _tables(), **{name: NOTE + text for name, text in fhir_pages.pages().items()}}


def _tables() -> str:
    """Every table of ours: who may see its rows, and what the application may do with it."""
    lines = [NOTE + "# Tables\n", "| app | table | rows behind the wall | application may |", "|---|---|---|---|"]
    for config in apps.get_app_configs():
        for model in config.get_models(include_auto_created=True):
            if not model.__module__.startswith("doorstep."):
                continue
            given = getattr(model, "app_privileges", None)
            usual = "read, append" if getattr(model, "append_only", False) else "read, append, change, delete"
            may = usual if given is None else ", ".join(given).lower() or "nothing: functions of the owner do"
            wall = "yes" if declared(model) is not None else "no"
            lines.append(f"| {config.name.removeprefix('doorstep.')} | {model._meta.db_table} | {wall} | {may} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
