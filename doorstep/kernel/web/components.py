"""`ui` in every template: each macro of templates/web/components/ under its own name, without imports.

A part rendered alone for htmx runs only its block, so an import at the top of the page would be missing there.
"""

from typing import Any

from jinja2 import Environment

FOLDER = "web/components/"


class Components:
    """Looks macros up by name; raises AttributeError for an unknown one."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._files: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if not self._files:
            self._files = self._scan()
        if name not in self._files:
            raise AttributeError(f"No component {name!r} in {FOLDER}: see the gallery at /_components/.")
        return getattr(self._environment.get_template(self._files[name]).module, name)

    def names(self) -> list[str]:
        """Return the names of all components."""
        self._files = self._files or self._scan()
        return sorted(self._files)

    def _scan(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._environment.list_templates(extensions=["html"]):
            # The frame's parts need the request and are imported by the layouts only.
            if path.startswith(FOLDER) and not path.endswith("/shell.html"):
                module = self._environment.get_template(path).module
                found |= {
                    name: path for name in vars(module) if not name.startswith("_") and callable(vars(module)[name])
                }
        return found
