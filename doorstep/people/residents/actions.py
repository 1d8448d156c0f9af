"""Writing residents: panels, registration, households and groups."""

from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.people.residents.models import PanelEntry, Resident


def add_to_panel(*, resident: Resident, organization_id: int, actor: Actor) -> None:
    """Put a resident on the panel of a unit that has a relationship; a second time changes nothing."""
    PanelEntry.objects.bulk_create(
        [
            PanelEntry(
                organization_id=organization_id,
                resident=resident,
                name=resident.name,
                pinyin=resident.name_pinyin,
                initials=resident.name_initials,
                since=timezone.localdate(),
            )
        ],
        ignore_conflicts=True,
    )
