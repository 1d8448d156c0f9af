"""Importing code systems: a new version becomes the current one, earlier versions stay readable."""

from pathlib import Path

from django.db import transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.terminology.models import CodeSystem, Concept
from doorstep.kernel.terminology.reading import SystemFacts, rows


@transaction.atomic
def import_system(*, facts: SystemFacts, folder: Path, actor: Actor) -> int:
    """Import one version of a code system, whole or not at all; the same version again changes nothing. Returns codes added."""
    system, created = CodeSystem.objects.get_or_create(
        uri=facts.system,
        version=facts.version,
        defaults={
            "name": Path(facts.file).stem,
            "title_zh": facts.title_zh,
            "title_en": facts.title_en,
            "source": facts.source[:400],
            "verified": facts.verified,
            "is_current": False,
        },
    )
    if not created:
        return 0
    concepts = [
        Concept(
            system=system,
            code=row.code,
            display_zh=row.display_zh,
            display_en=row.display_en,
            parent=row.parent,
            extra=row.extra,
            initials=row.initials,
        )
        for row in rows(folder / facts.file)
    ]
    Concept.objects.bulk_create(concepts, batch_size=2_000)
    CodeSystem.objects.filter(uri=facts.system, is_current=True).update(is_current=False)
    CodeSystem.objects.filter(pk=system.pk).update(is_current=True)
    audit.record(
        action="terminology.import",
        actor=actor,
        subject=f"{facts.system}|{facts.version}",
        details={"codes": len(concepts)},
    )
    return len(concepts)
