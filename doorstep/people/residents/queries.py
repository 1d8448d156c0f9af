"""Reads of residents. What the actor may not see is not there."""

from doorstep.people.residents.models import ResidentAccount


def linked_ids(*, user_id: int) -> list[int]:
    """The residents whose records an account may open: the own one first."""
    return list(ResidentAccount.objects.filter(user_id=user_id).order_by("id").values_list("resident_id", flat=True))
