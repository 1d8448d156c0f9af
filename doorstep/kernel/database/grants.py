"""What the application's role may do with each table: read and write, only append, or only read."""

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from doorstep.kernel.database.secrets import APP_ROLE

FULL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
APPEND_ONLY = frozenset({"SELECT", "INSERT"})
READ_ONLY = frozenset({"SELECT"})


def apply_grants(connection: BaseDatabaseWrapper) -> list[str]:
    """Bring the privileges of doorstep_app in line with the models, as the owner; return the tables that changed.

    A model with append_only = True gives SELECT and INSERT; one with app_privileges = ("SELECT",) gives just these.
    A partition gives nothing: rows are reached through its parent, where the policy stands.
    """
    wanted_by_model = _declared()
    changed: list[str] = []
    with connection.cursor() as cursor:
        for table, is_partition, held in _tables(cursor):
            wanted = frozenset() if is_partition else wanted_by_model.get(table, FULL)
            revoke, grant = sorted(held - wanted), sorted(wanted - held)
            if revoke:
                cursor.execute(f'REVOKE {", ".join(revoke)} ON "{table}" FROM {APP_ROLE}')
            if grant:
                cursor.execute(f'GRANT {", ".join(grant)} ON "{table}" TO {APP_ROLE}')
            if revoke or grant:
                changed.append(table)
        _grant_the_rest(cursor)
    return changed


def _declared() -> dict[str, frozenset[str]]:
    wanted = {"django_migrations": READ_ONLY}
    for model in apps.get_models(include_auto_created=True):
        given = getattr(model, "app_privileges", None)
        if given is not None:
            wanted[model._meta.db_table] = frozenset(given)
        elif getattr(model, "append_only", False):
            wanted[model._meta.db_table] = APPEND_ONLY
    return wanted


def _tables(cursor: CursorWrapper) -> list[tuple[str, bool, frozenset[str]]]:
    """Every table and view of the owner: its name, whether it is a partition, what the application holds on it."""
    cursor.execute(
        """
        SELECT c.relname, c.relispartition,
               array(SELECT a.privilege_type FROM aclexplode(c.relacl) a
                      WHERE a.grantee = (SELECT oid FROM pg_roles WHERE rolname = %s))
          FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace
           AND c.relkind IN ('r', 'p', 'v', 'm')
           AND pg_get_userbyid(c.relowner) = current_user
         ORDER BY c.relname
        """,
        [APP_ROLE],
    )
    return [(name, partition, frozenset(held)) for name, partition, held in cursor.fetchall()]


def _grant_the_rest(cursor: CursorWrapper) -> None:
    """Numbers from sequences, and the functions that an operator may have closed to everybody."""
    cursor.execute(
        """
        SELECT c.relname FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace
           AND pg_get_userbyid(c.relowner) = current_user
           AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(%s, c.oid, 'USAGE') END
        """,
        [APP_ROLE],
    )
    for (sequence,) in cursor.fetchall():
        cursor.execute(f'GRANT USAGE ON SEQUENCE "{sequence}" TO {APP_ROLE}')
    cursor.execute(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE p.pronamespace = 'public'::regnamespace
           AND pg_get_userbyid(p.proowner) = current_user
           AND NOT has_function_privilege(%s, p.oid, 'EXECUTE')
        """,
        [APP_ROLE],
    )
    for (function,) in cursor.fetchall():
        cursor.execute(f"GRANT EXECUTE ON ROUTINE {function} TO {APP_ROLE}")
