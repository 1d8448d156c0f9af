"""`ui` in every template: each macro of templates/web/components/ under its own name, without imports.

A part rendered alone for htmx runs only its block, so an import at the top of the page would be missing there.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jinja2 import Environment

from doorstep.kernel.web.speaking import language_and_day

FOLDER = "web/components/"
# What these write follows from their arguments, the language and the day alone; a list shows the same ones again and
# again, at every visit and every live update.
KEPT = frozenset({"avatar", "button", "clock", "event", "item", "stat", "tag"})
_KEPT_EACH = 4096


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
        macro = getattr(self._environment.get_template(self._files[name]).module, name)
        if name in KEPT:
            macro = _kept(macro)
        if not self._environment.auto_reload:
            # A page names its components hundreds of times: from now on the attribute is found without this method.
            self.__dict__[name] = macro
        return macro

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


def _kept(macro: Callable[..., str]) -> Callable[..., str]:
    # typed: "1", 1 and True are told apart, and so are text and markup, which are equal but not escaped alike.
    @lru_cache(maxsize=_KEPT_EACH, typed=True)
    def remembered(day: tuple[str, int], /, *arguments: Any, **named: Any) -> str:
        return macro(*arguments, **named)

    def draw(*arguments: Any, **named: Any) -> str:
        if "caller" in named:
            return macro(*arguments, **named)
        try:
            return remembered(language_and_day(), *arguments, **named)
        except TypeError:
            # An argument that cannot be a key, such as a dict of attributes.
            return macro(*arguments, **named)

    return draw
