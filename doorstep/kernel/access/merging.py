"""What becomes of a table's rows when two residents turn out to be one person: every model that names a resident says it.

Two records of one person are merged and may be parted again. A model declares `when_merged = Moves(...)` or
`when_merged = Stays(...)` beside its `row_access`; an architecture test fails for one that does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Moves:
    """The rows go to the resident who stays, each noted in a ledger, and come back when the merge is undone.

    name: what the rows are called on the page. column: the one that names the resident. also: further columns that carry
    a fact of the resident, by the name of the resident's column ({"resident_key": "key"}). where: SQL over the row; rows
    that do not fit stay. unless: groups of columns; a row stays when the other resident has one with the same values in a group. clash: what
    to do first when the two residents' rows cannot stand together (a unique or exclusion constraint refuses).
    by_owner: the application may not write the table; `access_merge` moves its rows.
    """

    name: str | Promise
    column: str = "resident_id"
    also: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    unless: tuple[tuple[str, ...], ...] = ()
    clash: str | Promise = ""
    by_owner: bool = False


@dataclass(frozen=True, slots=True)
class Stays:
    """The rows go on naming the former resident, for this reason; the wall follows `FormerResident` to who it is now."""

    reason: str
