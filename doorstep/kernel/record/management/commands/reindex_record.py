"""Make the index of searches anew."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from doorstep.kernel.record.reindexing import reindex


class Command(BaseCommand):
    """Fill the index of searches from every resource, in one transaction, as the owner role."""

    help = "Make the index of FHIR searches anew from every resource. Run it as the owner role (DOORSTEP_DATABASE_ROLE=owner)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Empty and fill the index; searches see the old one until the end."""
        with transaction.atomic(), connection.cursor() as cursor:
            number = reindex(cursor, say=self.stdout.write)
        self.stdout.write(f"{number:,} resources are in the index.")
