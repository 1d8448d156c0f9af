"""The roles as the workforce knows them: the matrix is the site's, which installs it and its names here."""

from collections.abc import Callable, Mapping

from doorstep.kernel.access.roles import Role

_name: list[Callable[[str], str]] = [lambda role: role]
_roles: dict[str, Role] = {}


def install(name: Callable[[str], str], roles: Mapping[str, Role]) -> None:
    """Set how a role's key becomes its name in the language of the page, and the matrix itself."""
    _name[0] = name
    _roles.clear()
    _roles.update(roles)


def name_of(role: str) -> str:
    """The name of a role."""
    return _name[0](role)


def role_of(key: str) -> Role | None:
    """The role of this key, None when the matrix has none."""
    return _roles.get(key)


def roles() -> tuple[Role, ...]:
    """Every role, in the order of the matrix."""
    return tuple(_roles.values())
