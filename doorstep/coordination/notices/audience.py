"""Who of a unit a matter is for: asked of those who know posts and roles, through one function that the site wires."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# (organisation, permission) -> the roles of its posts today that hold the permission, those on duty for others first
RolesThatMay = Callable[[int, str], Sequence[str]]

_roles: list[RolesThatMay] = []


@dataclass(frozen=True, slots=True)
class Audience:
    """What narrows a unit's notice: the permission that readers need ("" for all), and the role that is called at once ("" for all of them)."""

    permission: str = ""
    first_role: str = ""


ALL = Audience()


def install(roles: RolesThatMay) -> None:
    """Wire who may; the last one counts."""
    _roles[:] = [roles]


def audience_of(*, organization_id: int, permission: str, duty: frozenset[str]) -> Audience:
    """Who hears of a task of this permission at a unit: those who may act on it, the doctor on duty before the others.

    A unit where nobody may act hears it as a whole: somebody must know.
    """
    roles = list(_roles[0](organization_id, permission)) if permission and _roles else []
    if not roles:
        return ALL
    return Audience(permission, next((role for role in roles if role in duty), ""))
