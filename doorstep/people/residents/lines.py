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


def _nobody_knows(_resident_id: int) -> tuple[str, ...] | None:
    return None


_allergies: list[Callable[[int], tuple[str, ...] | None]] = [_nobody_knows]


def install_allergies(known: Callable[[int], tuple[str, ...] | None]) -> None:
    """Install who knows the allergies: None for never asked, () for none known, else the substances; two queries at most."""
    _allergies[0] = known


def allergies_of(resident_id: int) -> tuple[str, ...] | None:
    """What is known of a resident's allergies; None when nobody asked."""
    return _allergies[0](resident_id)
