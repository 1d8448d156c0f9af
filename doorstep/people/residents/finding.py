"""Residents found while typing: by name, pinyin or initials on the own panels; by phone or number when whole."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.remembered import Remembered
from doorstep.kernel.web import formats
from doorstep.people.residents import documents
from doorstep.people.residents.indexes import number_index, phone_index
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.residents.queries import masked_number, not_merged
from doorstep.people.residents.rules import is_whole_number, is_whole_phone, is_whole_record, words

SHOWN = 20
# So many last digits name somebody in a list.
_TAIL = 4
# Words of a Latin name that are compared one by one.
_WORDS_TYPED = 3
# Behind every letter: where the texts end that begin with what was typed.
_END = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """One resident of a search."""

    key: UUID
    name: str
    gender_label: str
    age: str
    masked_id: str
    organization_name: str


def search_panel(text: str, actor: Actor) -> list[Found]:
    """The first twenty residents on the panels of the actor's units, by name, any word of a Latin name, pinyin or initials; by phone or number
    only when whole.

    A text with digits that is neither a whole phone, number nor record number finds nobody, and a pattern is only text.
    """
    text = " ".join(text.split())
    if not text or not actor.record_reach:
        return []
    if any(character.isdecimal() for character in text):
        return _by_index("".join(text.split()))
    units = list(actor.record_reach)
    spoken = words(text)
    if spoken and all(word.isascii() for word in spoken):
        letters = "".join(spoken)
        ids = _BY_LETTERS.rows(units, letters, letters + _END)
        # Whoever typed a Latin name in another order, or only its surname: each word begins one of the name's.
        ids = list(dict.fromkeys([*ids, *_by_words(units, spoken)]))
    else:
        ids = _BY_NAME.rows(units, text)
    return _found(_BY_IDS.rows(ids)) if ids else []


def fits(resident: Resident, text: str) -> bool:
    """Whether a text means this resident of a list that is shown anyway: a part of the name, the beginning of its pinyin, initials or of
    any word of a Latin name, the last digits (four or more) of the telephone or of the card's number, or the whole of it. A text of blanks means everybody.
    """
    wanted = "".join(text.split()).casefold()
    if not wanted or wanted in resident.name.casefold():
        return True
    if any(character.isdecimal() for character in wanted):
        marks = ((resident.phone or ""), (resident.national_id or "").casefold())
        return len(wanted) >= _TAIL and any(mark.endswith(wanted) for mark in marks)
    spoken = "".join(resident.name_pinyin.split()).casefold()
    if wanted.isascii() and (spoken.startswith(wanted) or resident.name_initials.casefold().startswith(wanted)):
        return True
    own, typed = words(resident.name), words(text)
    return bool(typed) and all(any(one.startswith(word) for one in own) for word in typed)


def _by_words(units: list[int], typed: list[str]) -> list[int]:
    first, second, third, *_more = [f" {word}" for word in typed] + [" "] * _WORDS_TYPED
    return _BY_WORDS.rows(units, first, second, third) if len(typed) <= _WORDS_TYPED else []


def _in_order(entries: QuerySet[PanelEntry]) -> QuerySet[PanelEntry, int]:
    # A resident may stand on the panels of a village and its township; the policy leaves out who is no longer ours.
    return entries.order_by("name", "resident_id").values_list("resident_id", flat=True)[: SHOWN * 3]


# A range is read from an index under row-level security; the pattern of a text would be compared with every entry.
_BY_LETTERS = Remembered(
    lambda units, first, end: _in_order(
        PanelEntry.objects.filter(
            Q(initials__gte=first, initials__lt=end) | Q(run__gte=first, run__lt=end), organization_id__any=units
        )
    )
)
_BY_WORDS = Remembered(
    lambda units, first, second, third: _in_order(
        PanelEntry.objects.filter(
            Q(words__contains=first) & Q(words__contains=second) & Q(words__contains=third),
            organization_id__any=units,
            words__isnull=False,
        )
    )
)
_BY_NAME = Remembered(
    lambda units, text: _in_order(PanelEntry.objects.filter(organization_id__any=units, name__contains=text))
)
_BY_IDS = Remembered(lambda ids: _listed(not_merged().filter(id__any=ids)))
_BY_MARK = Remembered(
    lambda kinds, index: _listed(
        not_merged().filter(identifiers__kind__any=kinds, identifiers__index=index, identifiers__live=True)
    )
)


_BY_RECORD = Remembered(
    lambda number: (
        Resident.objects.exclude(record_number="").filter(record_number=number).values_list("id", flat=True)[:SHOWN]
    )
)


def _listed(rows: QuerySet[Resident]) -> QuerySet[Resident]:
    return rows.select_related("organization").order_by("name", "id")[:SHOWN]


def _by_index(text: str) -> list[Found]:
    if is_whole_phone(text):
        return _found(_BY_MARK.rows([Identifier.Kind.PHONE.value], phone_index(text)))
    if is_whole_number(text) or documents.is_whole_document(text):
        return _found(_BY_MARK.rows(list(documents.FINDING), number_index(text)))
    if is_whole_record(text):
        # A card or a wristband may still bear the number of a record that was merged since.
        holders = [access.standing_of(resident_id=holder) for holder in _BY_RECORD.rows(text.upper())]
        return _found(_BY_IDS.rows(holders)) if holders else []
    return []


def _found(rows: list[Resident]) -> list[Found]:
    today = timezone.localdate()
    return [
        Found(
            row.key,
            row.name,
            _(str(Resident.Gender(row.gender).label)),
            formats.age(row.birth_date, today),
            masked_number(row),
            row.organization.name,
        )
        for row in rows
    ]
