"""What other apps add to a resident's banner: each gives one short line, installed once by the site."""

from collections.abc import Callable

_lines: dict[str, Callable[[int], str]] = {}


def install(name: str, line: Callable[[int], str]) -> None:
    """Install a line ("contract"): from the resident's id to its text, "" for none; one query at most."""
    _lines[name] = line


def line_of(name: str, resident_id: int) -> str:
    """The text of a line, "" when nobody gives it."""
    line = _lines.get(name)
    return line(resident_id) if line else ""
