"""What a role is called: the matrix of roles is the site's, which installs its names here."""

from collections.abc import Callable

_name: list[Callable[[str], str]] = [lambda role: role]


def install(name: Callable[[str], str]) -> None:
    """Set how a role's key becomes its name in the language of the page."""
    _name[0] = name


def name_of(role: str) -> str:
    """The name of a role."""
    return _name[0](role)
