"""Bring a database up to date: tables, SQL functions, rooms for the months, row policies, privileges; all or, on a failure, a sentence."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from doorstep.kernel.database.functions import apply_functions
from doorstep.kernel.database.grants import apply_grants
from doorstep.kernel.database.light_states import light_states
from doorstep.kernel.database.months import make_rooms
from doorstep.kernel.database.policies import apply_policies
from doorstep.kernel.database.secrets import APP_ROLE

# Two starts at once take turns; the number only has to be the same for both.
MIGRATION_LOCK = 7_305_118


class Command(BaseCommand):
    """Migrate as the owner of the tables, then lay functions, policies and privileges over them."""

    # A database can be migrated whatever state the pages are in.
    requires_system_checks = []
    help = "Migrate the database, then apply SQL functions, row policies and privileges. Run it as the owner role."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps in the one order in which each finds what it needs."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            if cursor.fetchone()[0] == APP_ROLE:
                raise CommandError("The application's role owns no tables: set DOORSTEP_DATABASE_ROLE=owner.")
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            with light_states():
                call_command("migrate", verbosity=options["verbosity"], interactive=False, skip_checks=True)
            with transaction.atomic():
                apply_functions(connection)
                make_rooms()
                apply_policies(connection)
                apply_grants(connection)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
