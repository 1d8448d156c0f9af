"""The rows of every table that names a resident: moving them to the record that stands, and back.

Works under the purpose of merging, in the transaction of the action. The tables say themselves what becomes of their
rows (`when_merged`, doorstep.kernel.access.merging); none is named here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from doorstep.kernel.access.merging import Moves
from doorstep.kernel.access.refusals import Refused
from doorstep.people.identity.models import Merge, MovedRow


@dataclass(frozen=True, slots=True)
class Holder:
    """A table whose rows move."""

    table: str
    moves: Moves


def holders() -> Iterator[Holder]:
    """Every table whose rows move, by name."""
    found = [(model, _declared(model)) for model in apps.get_models()]
    for table, moves in sorted((model._meta.db_table, moves) for model, moves in found if moves is not None):
        yield Holder(table, moves)


def _declared(model: type[Model]) -> Moves | None:
    declared = getattr(model, "when_merged", None)
    return declared if isinstance(declared, Moves) else None


def move_all(merge: Merge) -> int:
    """Move every row of the former record; raises Refused with the cure when rows of the two cannot stand together.

    Calling it again moves what is new: rows that were written at the same moment, or that had to stay until now.
    """
    return sum(_move(merge, holder) for holder in holders())


def _move(merge: Merge, holder: Holder) -> int:
    if holder.moves.by_owner:
        prepared: tuple[str, list[int | str]] = (
            _BY_OWNER,
            [merge.pk, holder.table, merge.former_id, merge.standing_id],
        )
    else:
        prepared = _move_statement(merge, holder)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(*prepared)
            return int(cursor.rowcount)
    except IntegrityError as error:
        sentence = str(holder.moves.clash) or _("两份档案的“%(name)s”有冲突，请先处理其中一份，再合并。") % {
            "name": str(holder.moves.name)
        }
        raise Refused(sentence) from error


_NOTED = 'INSERT INTO identity_movedrow (merge_id, "table", row_id, act, changed)'
_BY_OWNER = _NOTED + " SELECT %s, %s, moved, 'moved', '{}' FROM access_merge(%s, %s) AS found (moved)"
_BACK_BY_OWNER = (
    "SELECT access_unmerge(%s, %s, ARRAY("
    "SELECT row_id FROM identity_movedrow WHERE merge_id = %s AND \"table\" = %s AND act = 'moved'))"
)


def _move_statement(merge: Merge, holder: Holder) -> tuple[str, list[int | str]]:
    """One statement that moves a table's rows and notes them; names come from our own models, values travel apart."""
    moves, table = holder.moves, f'"{holder.table}"'
    sets, values = _set(moves, merge.standing_id)
    wheres = [f't."{moves.column}" = %s']
    values.append(merge.former_id)
    if moves.where:
        wheres.append(f"({moves.where})")
    for group in moves.unless:
        same = " AND ".join(f'kept."{column}" IS NOT DISTINCT FROM t."{column}"' for column in group)
        wheres.append(f'NOT EXISTS (SELECT 1 FROM {table} kept WHERE kept."{moves.column}" = %s AND {same})')
        values.append(merge.standing_id)
    moved = f"UPDATE {table} t SET {sets} WHERE {' AND '.join(wheres)} RETURNING t.id"
    return (
        f"WITH moved AS ({moved}) {_NOTED} SELECT %s, %s, id, 'moved', '{{}}' FROM moved",
        [*values, merge.pk, holder.table],
    )


def _return_statement(merge: Merge, holder: Holder) -> tuple[str, list[int | str]]:
    sets, values = _set(holder.moves, merge.former_id)
    return (
        f'UPDATE "{holder.table}" t SET {sets} FROM identity_movedrow m'
        " WHERE m.merge_id = %s AND m.\"table\" = %s AND m.act = 'moved' AND m.row_id = t.id"
        f' AND t."{holder.moves.column}" = %s',
        [*values, merge.pk, holder.table, merge.standing_id],
    )


def _set(moves: Moves, resident_id: int) -> tuple[str, list[int | str]]:
    facts = [
        f'"{column}" = (SELECT "{fact}" FROM residents_resident WHERE id = %s)' for column, fact in moves.also.items()
    ]
    return ", ".join([f'"{moves.column}" = %s', *facts]), [resident_id] * (1 + len(facts))


def return_all(merge: Merge) -> int:
    """Give every moved row back to the former record; rows that were written since stay where they are."""
    returned = 0
    with connection.cursor() as cursor:
        for holder in holders():
            if holder.moves.by_owner:
                cursor.execute(_BACK_BY_OWNER, [merge.former_id, merge.standing_id, merge.pk, holder.table])
                returned += int(cursor.fetchone()[0])
            else:
                cursor.execute(*_return_statement(merge, holder))
                returned += cursor.rowcount
    return returned


def moved_ids(merge: Merge, table: str) -> list[int]:
    """The rows of one table that moved with a merge."""
    return list(merge.rows.filter(table=table, act=MovedRow.Act.MOVED).values_list("row_id", flat=True))


def marks() -> dict[str, int]:
    """The highest id of every table whose rows move, now."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for holder in holders():
            cursor.execute(f'SELECT coalesce(max(id), 0) FROM "{holder.table}"')
            found[holder.table] = int(cursor.fetchone()[0])
    return found


def counts(resident_id: int) -> dict[str, int]:
    """How many rows of each table name the resident; tables without any are left out."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for holder in holders():
            column = holder.moves.column
            cursor.execute(f'SELECT count(*) FROM "{holder.table}" WHERE "{column}" = %s', [resident_id])
            found[holder.table] = int(cursor.fetchone()[0])
    return {table: count for table, count in found.items() if count}


def counts_since(merge: Merge) -> dict[str, int]:
    """How many rows of each table came to the standing record after the merge."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for holder in holders():
            cursor.execute(
                f'SELECT count(*) FROM "{holder.table}" t WHERE t."{holder.moves.column}" = %s AND t.id > %s'
                ' AND NOT EXISTS (SELECT 1 FROM identity_movedrow m WHERE m."table" = %s AND m.row_id = t.id)',
                [merge.standing_id, merge.marks.get(holder.table, 0), holder.table],
            )
            found[holder.table] = int(cursor.fetchone()[0])
    return {table: count for table, count in found.items() if count}


def names() -> dict[str, str]:
    """What the rows of each table are called."""
    return {holder.table: str(holder.moves.name) for holder in holders()}
