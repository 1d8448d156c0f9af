"""`doorstep verify audit`: prove that nobody altered the sealed trail, or name the rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import queries
from doorstep.kernel.audit.models import AuditSeal


class Command(BaseCommand):
    """Verify every seal of the audit trail."""

    help = "Verify the sealed audit trail and name every altered row."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding; a single one makes the command fail."""
        with acting(system_actor(Purpose.SEALING)):
            findings = list(queries.verify())
            seals = AuditSeal.objects.count()
        for finding in findings:
            self.stdout.write(f"{finding.kind}: {finding.sentence}")
        if findings:
            raise CommandError(f"审计链有 {len(findings)} 处不符 / {len(findings)} findings in {seals} seals")
        self.stdout.write(f"审计链完好，共 {seals} 个封签 / the audit trail is whole: {seals} seals")
