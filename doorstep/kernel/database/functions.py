"""SQL functions that policies and searches stand on: every app may keep CREATE OR REPLACE FUNCTION files in sql/."""

from pathlib import Path

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper


def apply_functions(connection: BaseDatabaseWrapper) -> list[Path]:
    """Run every app's sql/*.sql as the owner, in the order of INSTALLED_APPS, then by name; return the files."""
    files = [file for app in apps.get_app_configs() for file in sorted((Path(app.path) / "sql").glob("*.sql"))]
    with connection.cursor() as cursor:
        for file in files:
            # No parameters: a percent sign in the file stays a percent sign.
            cursor.execute(file.read_text(encoding="utf-8"))
    return files
