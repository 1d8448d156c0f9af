"""Pure rules of posts: which role may give which other, and which two nobody holds at once."""

from collections.abc import Collection

from doorstep.kernel.access.roles import Role

# GB/T 22239-2019 8.1.5 asks for separate persons who administer, secure and audit a system.
APART: tuple[frozenset[str], ...] = (
    frozenset({"auditor", "administrator"}),
    frozenset({"auditor", "manager"}),
    frozenset({"auditor", "engineer"}),
)


def may_give(giver: Role | None, role: Role | None, *, own_unit: bool) -> bool:
    """Whether a role may be given by another: at the giver's own unit, or at a unit below it.

    A role gives what its line in the matrix names, and nothing else: what it may do itself says nothing about it.
    """
    if giver is None or role is None:
        return False
    return role.key in giver.gives or (not own_unit and role.key in giver.gives_below)


def clash(role: str, held: Collection[str]) -> str:
    """The held role beside which this one may not stand, "" when there is none."""
    for pair in APART:
        others = (pair - {role}) & set(held)
        if role in pair and others:
            return min(others)
    return ""
