"""Row-level security: each model says in SQL which of its rows the current actor may see or write.

The application's role meets these policies on every statement; the owner (migrations, bulk loads) does not.
"""

from dataclasses import dataclass

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from doorstep.kernel.database.secrets import APP_ROLE

POLICY = "doorstep_access"


@dataclass(frozen=True)
class RowAccess:
    """Which rows of a table the application may touch, as SQL expressions over the table's columns.

    using: rows that can be read, changed or deleted. check: rows that may come to be; None means the same as using.
    Put it on a model as the class attribute row_access.
    """

    using: str
    check: str | None = None


def apply_policies(connection: BaseDatabaseWrapper) -> list[str]:
    """Bring every table's policy in line with its model, as the owner; return the names of the tables that changed."""
    changed: list[str] = []
    with connection.cursor() as cursor:
        current = _current(cursor)
        for model in apps.get_models(include_auto_created=True):
            if not model._meta.managed or model._meta.proxy:
                continue
            table = model._meta.db_table
            access = declared(model)
            if access is None and table in current:
                cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
                cursor.execute(f'DROP POLICY IF EXISTS {POLICY} ON "{table}"')
                changed.append(table)
            elif access is not None and current.get(table) != _mark(access):
                _create(cursor, table=table, access=access)
                changed.append(table)
    return changed


def declared(model: type[Model]) -> RowAccess | None:
    """The row access that a model declares."""
    access = getattr(model, "row_access", None)
    if access is not None and not isinstance(access, RowAccess):
        raise TypeError(f"{model._meta.label}.row_access must be a RowAccess.")
    return access


def _create(cursor: CursorWrapper, *, table: str, access: RowAccess) -> None:
    """Replace the policy and keep its text in a comment: PostgreSQL gives expressions back in its own words."""
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    cursor.execute(f'DROP POLICY IF EXISTS {POLICY} ON "{table}"')
    cursor.execute(
        f'CREATE POLICY {POLICY} ON "{table}" AS PERMISSIVE FOR ALL TO {APP_ROLE} '
        f"USING ({access.using}) WITH CHECK ({access.check or access.using})"
    )
    cursor.execute("SELECT quote_literal(%s)", [_mark(access)])
    literal = cursor.fetchone()[0]
    cursor.execute(f'COMMENT ON POLICY {POLICY} ON "{table}" IS {literal.replace("%", "%%")}', ())


def _mark(access: RowAccess) -> str:
    return f"using: {access.using}\ncheck: {access.check or access.using}"


def _current(cursor: CursorWrapper) -> dict[str, str | None]:
    """The text of every live policy by table; None where row-level security is switched off or the text is unknown."""
    cursor.execute(
        """
        SELECT c.relname, CASE WHEN c.relrowsecurity THEN d.description END
          FROM pg_policy p
          JOIN pg_class c ON c.oid = p.polrelid
          LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_policy'::regclass
         WHERE p.polname = %s AND c.relnamespace = 'public'::regnamespace
        """,
        [POLICY],
    )
    return dict(cursor.fetchall())
