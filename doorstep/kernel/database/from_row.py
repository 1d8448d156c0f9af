"""Models that are made from a row of the database without asking each column whether it was fetched.

Django goes through all columns of a model for each row that it makes, looks each of them up in the list of those that were fetched,
and sets them one by one. A list of fifty lines with what is joined to them makes 150 such things, the widest of a hundred columns
of which it reads twenty: that was a fifth of the work of the page.
"""

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class FromRow(models.Model):
    """A model whose values from the database are taken as they come.

    For models without an `__init__` of their own and without listeners to how they are made (this house has no signals): these would
    not be called. Columns that were not fetched are fetched when they are asked for, as ever.
    """

    class Meta:
        abstract = True

    # The types of Django's stubs are those of a later Django, which has one argument more.
    @classmethod
    def from_db(  # type: ignore[override]
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        """One row, as values in the order of the columns' names."""
        made = cls.__new__(cls)
        state = made._state = ModelState()
        state.adding = False
        state.db = db
        made.__dict__.update(zip(field_names, values, strict=True))
        return made
