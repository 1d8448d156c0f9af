"""Two records side by side, as the page shows them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorstep.people.identity import moving
from doorstep.people.identity.doubles import REASONS
from doorstep.people.identity.facts import FACTS, SPELLED, Fact
from doorstep.people.identity.list_queries import COUNTED, Listed
from doorstep.people.identity.models import LikelyPair, ListedMatch
from doorstep.people.identity.queries import Change, Pair
from doorstep.people.residents import documents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.queries import masked_number
from doorstep.people.residents.rules import RELATIONS, mask_number, mask_phone


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of both records; `proposed` is whose value is proposed, "" when there is nothing to choose."""

    code: str
    name: str
    standing: str
    former: str
    proposed: str


def lines_of(pair: Pair) -> list[Line]:
    """Every fact that one of the two records has; the fuller value is proposed, else the one that stands."""
    found = []
    for fact in FACTS:
        standing, former = _text(fact, pair.standing), _text(fact, pair.former)
        if not standing and not former:
            continue
        told = (name for name in fact.columns if name not in SPELLED)
        differ = any(getattr(pair.standing, name) != getattr(pair.former, name) for name in told)
        proposed = ("former" if former and not standing else "standing") if differ else ""
        found.append(Line(fact.code, str(fact.name), standing, former, proposed))
    return found


def told_apart(resident: Resident) -> str:
    """A record as it is told apart from another of the same name: name, birth date, number with its middle hidden."""
    parts = (resident.name, resident.birth_date.isoformat(), masked_number(resident))
    return " · ".join(part for part in parts if part)


def _text(fact: Fact, resident: Resident) -> str:
    shown = _SHOWN.get(fact.code)
    if shown is not None:
        return shown(resident)
    value = getattr(resident, fact.columns[0])
    return "" if value is None else str(value)


def _document(resident: Resident) -> str:
    kind = documents.KINDS.get(resident.document_kind, "")
    return f"{_(kind)} {documents.mask_document(resident.document_number or '')}" if kind else ""


def _home(resident: Resident) -> str:
    relation = RELATIONS.get(resident.relation_to_head, resident.relation_to_head)
    return " · ".join(part for part in (resident.address, _(relation) if relation else "") if part)


def _contact(resident: Resident) -> str:
    relation = RELATIONS.get(resident.contact_relation, "")
    parts = (resident.contact_name, _(relation) if relation else "", mask_phone(resident.contact_phone or ""))
    return " · ".join(part for part in parts if part)


_SHOWN: dict[str, Callable[[Resident], str]] = {
    "national_id": lambda resident: mask_number(resident.national_id),
    "document": _document,
    "phone": lambda resident: mask_phone(resident.phone),
    "gender": lambda resident: _(str(Resident.Gender(resident.gender).label)),
    "organization": lambda resident: resident.organization.name,
    "home": _home,
    "contact": _contact,
}


_CHANGED: dict[str, tuple[Promise, Callable[[str], str]]] = {
    "name": (gettext_lazy("姓名"), str),
    "birth_date": (gettext_lazy("出生日期"), str),
    "gender": (gettext_lazy("性别"), lambda code: _(str(Resident.Gender(code).label)) if code else ""),
    "number": (gettext_lazy("证件号码"), documents.mask_document),
}


def differences_of(change: Change) -> list[tuple[str, str, str]]:
    """What a change of identity changed: name of the fact, as it was, as it became; numbers masked."""
    return [
        (str(name), shown(change.before.get(code, "")), shown(change.after[code]))
        for code, (name, shown) in _CHANGED.items()
        if change.after.get(code) and change.before.get(code) != change.after[code]
    ]


def counted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Counts by table with the name of what is counted, the largest first."""
    names = moving.names()
    return sorted(((names.get(table, table), count) for table, count in counts.items()), key=lambda one: -one[1])


def kept_of(choices: Collection[str]) -> str:
    """These facts by name, in one line: those that were taken from the former record, those that were confirmed."""
    return "、".join(str(fact.name) for fact in FACTS if fact.code in choices)


def reasons_of(pair: LikelyPair | ListedMatch) -> tuple[list[str], list[str]]:
    """What speaks for one person and what against, in words; a name that differs in one character is that of a brother or sister."""
    told = [(code, str(REASONS[field, code])) for field, code in pair.levels.items() if (field, code) in REASONS]
    return (
        [text for code, text in told if code not in _AGAINST],
        [text for code, text in told if code in _AGAINST],
    )


_AGAINST = ("different", "one-character")


@dataclass(frozen=True, slots=True)
class Beside:
    """A line of a list beside the resident whom it may mean: (fact, as the hospital has it, as the index has it, level)."""

    listed: Listed
    facts: list[tuple[str, str, str, str]]
    reasons: tuple[list[str], list[str]]
    state: str


def beside(one: Listed) -> Beside:
    """Both sides as the review shows them; numbers and phones masked alike."""
    left, right = one.facts, one.match.resident
    number = right.national_id or right.document_number or ""
    genders = {code: _(str(label)) for code, label in Resident.Gender.choices}
    rows = [
        ("name", _("姓名"), left.name, right.name),
        ("birth_date", _("出生日期"), left.birth_date.isoformat() if left.birth_date else "", str(right.birth_date)),
        ("gender", _("性别"), genders.get(left.gender, ""), genders.get(right.gender, "")),
        ("number", _("证件号码"), documents.mask_document(left.number), documents.mask_document(number)),
        ("phone", _("电话"), mask_phone(left.phone), mask_phone(right.phone)),
        ("address", _("住址"), left.address, right.address),
    ]
    levels = one.match.levels
    facts = [(name, mine, theirs, levels.get(code, "")) for code, name, mine, theirs in rows if mine or theirs]
    return Beside(one, facts, reasons_of(one.match), _(str(ListedMatch.State(one.match.state).label)))


def steps_of(step: int, names: Sequence[Promise]) -> list[dict[str, str]]:
    """The steps of a job, as the component shows them."""
    return [
        {"label": str(name), "state": "done" if place < step else "now" if place == step else "next"}
        for place, name in enumerate(names)
    ]


def capped(counts: Mapping[str, int]) -> dict[str, str]:
    """Counts that were not counted to the end say so."""
    return {tab: f"{COUNTED}+" if count > COUNTED else str(count) for tab, count in counts.items()}


def result_lines(results: Iterable[tuple[int, str, str, float | None]]) -> list[tuple[object, ...]]:
    """The lines of the table that is taken along."""
    said = {
        "": _("没有对上"),
        "open": _("待核对"),
        "later": _("稍后再定"),
        "linked": _("自动对上"),
        "confirmed": _("人工确认"),
    }
    head: tuple[object, ...] = (_("行"), _("院内患者号"), _("结果"), _("可能性"))
    return [
        head,
        *(
            (row, number, said[state], "" if share is None else round(share, 6))
            for row, number, state, share in results
        ),
    ]
