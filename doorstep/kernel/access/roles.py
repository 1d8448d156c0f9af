"""The form of a role; the matrix itself is `doorstep.site.roles`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A dozen of these govern who may do what; granted on an organisation by a post.

    `cascades` lets the rows of work of all units below the post's organisation count as own; `sees_records` lets the
    care relationships of those units make residents visible. `gives` names the roles that whoever manages people in this
    role may give at the own unit and below, `gives_below` those below it only.
    """

    key: str
    zh: str
    en: str
    about: str
    permissions: frozenset[str]
    cascades: bool = False
    sees_records: bool = False
    gives: frozenset[str] = frozenset()
    gives_below: frozenset[str] = frozenset()
