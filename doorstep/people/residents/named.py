"""Residents as a line of a list names them."""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.kernel.web import formats
from doorstep.people.residents.models import Resident

_SEXES = {gender.value: str(gender.label) for gender in Resident.Gender}


class Named(NamedTuple):
    """Who it is, without a number that is sealed."""

    id: int
    key: UUID
    name: str
    gender: str
    birth_date: date

    @property
    def sex(self) -> str:
        """The sex in the reader's language."""
        return _(_SEXES.get(self.gender, self.gender))

    def said(self, day: date) -> str:
        """Name, sex and age on a day: 周桂兰 女 63 岁."""
        return words_of(self.name, self.gender, self.birth_date, day)


def words_of(name: str, gender: str, birth_date: date | None, day: date) -> str:
    """Name, sex and age on a day in the reader's language; what is not known is left out."""
    sex = _(_SEXES.get(gender, gender)) if gender else ""
    age = formats.age(birth_date, day) if birth_date else ""
    return " ".join(part for part in (name, sex, age) if part)


def _named(ids: Slot) -> QuerySet[Resident, tuple[Any, ...]]:
    return Resident.objects.filter(id__any=ids).values_list(*Named._fields)


_NAMED = Remembered(_named)


def named(*, ids: Iterable[int]) -> dict[int, Named]:
    """Several residents by id, in one query; those whom the actor may not see are left out."""
    wanted = set(ids)
    return {row[0]: Named._make(row) for row in _NAMED.rows(list(wanted))} if wanted else {}
