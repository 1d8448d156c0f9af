"""Rows of residents: themselves, households, identifiers, groups, care relationships, panels."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from doorstep.demo.county import insurance
from doorstep.demo.county.columns import Array, Columns
from doorstep.demo.county.diseases import CODES, DISEASES, KEY_GROUPS
from doorstep.demo.county.residents import ResidentBatch
from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.keys import keys
from doorstep.demo.loading.lines import LinePattern, blob, compound, hexed, repeated, texts_of
from doorstep.kernel.access.encryption import blind_indexes, seal_many
from doorstep.people.residents.models import Identifier
from doorstep.people.residents.rules import GROUPS

TABLES = (
    "residents_household",
    "residents_resident",
    "residents_identifier",
    "residents_group",
    "residents_insurance",
    "access_carerelationship",
    "residents_panelentry",
)
# How long a visit lets its unit read the record; the same span as a visit opened in the clinic.
_VISIT_OPEN_DAYS = 30
# The first day of the electronic register; nobody was written into it earlier.
REGISTER_BEGAN = np.datetime64("2021-01-01", "D")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every batch of a load has in common."""

    seed: int
    today: date


def slim(batch: ResidentBatch) -> ResidentBatch:
    """The batch without the rows that `people` does not read: what travels to another process is half as large."""
    unread = ("medications", "observations", "admissions", "follow_ups")
    return replace(batch, **{name: _nothing(getattr(batch, name)) for name in unread})


def _nothing(part: Columns) -> Columns:
    return Columns(part.names, tuple(array[:0] for array in part.arrays))


def people(batch: ResidentBatch, setting: Setting) -> list[Copied]:
    """Everything by which a resident is known and found."""
    return [
        _households(batch, setting),
        _residents(batch, setting),
        _identifiers(batch),
        _groups(batch),
        _insurances(batch, setting),
        *_seen_by(batch, setting),
    ]


_HOUSEHOLD = LinePattern("«id»\t«key»\t«organization»\t\\\\x«address»\t«grid»\t«division»")


def _households(batch: ResidentBatch, setting: Setting) -> Copied:
    part = batch.households
    ids = texts_of(part.column("id"))
    data = {
        "id": ids,
        "key": keys("household", setting.seed, ids),
        "organization": texts_of(part.column("clinic_id")),
        "address": hexed(seal_many(texts_of(part.column("address")))),
        "grid": texts_of(part.column("grid_code")),
        "division": texts_of(part.column("place_code")),
    }
    names = ("id", "key", "organization_id", "address", "grid_code", "division_code")
    return Copied("residents_household", names, blob(_HOUSEHOLD, data))


_RESIDENT = LinePattern(
    f"«id»\t«key»\t{CONSORTIUM}\t«name»\t«pinyin»\t«initials»\t«gender»\t«birth»\t«death»\t\\\\x«number»\t«record»"
    "\t\\\\x«phone»\t\\\\x«address»\t«household»\t«relation»\t«grid»\t«organization»\t«created»T01:00:00+00"
)
_RESIDENT_COLUMNS = (
    "id", "key", "consortium_id", "name", "name_pinyin", "name_initials", "gender", "birth_date", "deceased_on",
    "national_id", "record_number", "phone", "address", "household_id", "relation_to_head", "grid_code",
    "organization_id", "created_at",
)  # fmt: skip


def _residents(batch: ResidentBatch, setting: Setting) -> Copied:
    part = batch.residents
    numbers = [number or "" for number in texts_of(part.column("national_id"))]
    ids = texts_of(part.column("id"))
    data = {
        "id": ids,
        "key": keys("resident", setting.seed, ids),
        "name": texts_of(part.column("name")),
        "pinyin": texts_of(part.column("pinyin")),
        "initials": texts_of(part.column("initials")),
        "gender": texts_of(part.column("gender")),
        "birth": texts_of(part.column("birth_date")),
        "death": texts_of(part.column("deceased_on")),
        "number": hexed(seal_many(numbers)),
        "record": record_numbers(batch),
        "phone": hexed(seal_many(texts_of(part.column("phone")))),
        "address": hexed(seal_many(texts_of(part.column("address")))),
        "household": texts_of(part.column("household_id")),
        "relation": texts_of(part.column("relation")),
        "grid": texts_of(part.column("grid_code")),
        "organization": texts_of(part.column("clinic_id")),
        "created": texts_of(registered_on(batch)),
    }
    return Copied("residents_resident", _RESIDENT_COLUMNS, blob(_RESIDENT, data))


def registered_on(batch: ResidentBatch) -> Array:
    """The day each resident was written into the register: at its beginning, or the day after birth."""
    return np.asarray(np.maximum(batch.residents.column("birth_date") + 1, REGISTER_BEGAN))


def record_numbers(batch: ResidentBatch) -> list[str]:
    """The record number of those who have no national id, empty for all others."""
    part = batch.residents
    return [
        "" if number else f"L{resident:011d}"
        for number, resident in zip(texts_of(part.column("national_id")), texts_of(part.column("id")), strict=True)
    ]


_IDENTIFIER = LinePattern("«resident»\t«kind»\t\t«index»\t«live»")


def _identifiers(batch: ResidentBatch) -> Copied:
    """National id, phone and proof of presence of everybody, as registration writes them; a child without a number by
    its mother's number. Those of the dead are no longer live."""
    part = batch.residents
    ids, names = texts_of(part.column("id")), texts_of(part.column("name"))
    numbers, phones = texts_of(part.column("national_id")), texts_of(part.column("phone"))
    live = np.where(np.isnat(part.column("deceased_on")), "t", "f").tolist()
    proofs = [f"{name}/{phone[-4:]}" for name, phone in zip(names, phones, strict=True)]
    numbered = [position for position, number in enumerate(numbers) if number]
    parts = [
        (Identifier.Kind.NATIONAL_ID, numbered, blind_indexes("national-id", [numbers[one] for one in numbered])),
        (Identifier.Kind.PHONE, list(range(len(ids))), blind_indexes("phone", phones)),
        (Identifier.Kind.PHONE_PROOF, list(range(len(ids))), blind_indexes("phone-proof", proofs)),
        (Identifier.Kind.MOTHER_ID, *_children(batch)),
    ]
    data = b"".join(
        blob(
            _IDENTIFIER,
            {
                "resident": [ids[one] for one in positions],
                "kind": repeated(kind.value, len(positions)),
                "index": indexes,
                "live": [live[one] for one in positions],
            },
        )
        for kind, positions, indexes in parts
    )
    return Copied("residents_identifier", ("resident_id", "kind", "system", "index", "live"), data)


def _children(batch: ResidentBatch) -> tuple[list[int], list[str]]:
    """Children without a number whose mother lives with them: positions and indexes."""
    part = batch.residents
    numbers, genders = texts_of(part.column("national_id")), texts_of(part.column("gender"))
    households, relations = texts_of(part.column("household_id")), texts_of(part.column("relation"))
    births = texts_of(part.column("birth_date"))
    nameless = [one for one, number in enumerate(numbers) if not number and relations[one] == "child"]
    wanted = {households[one] for one in nameless}
    mothers = {
        households[one]: numbers[one]
        for one in range(len(numbers))
        if households[one] in wanted and genders[one] == "female" and relations[one] in ("head", "spouse")
    }
    found = [one for one in nameless if mothers.get(households[one])]
    facts, born = [], Counter[str]()
    for one in found:
        birth = f"{mothers[households[one]]}/{births[one]}"
        born[birth] += 1
        facts.append(f"{birth}/{born[birth]}")
    return found, blind_indexes("mother-id", facts)


_GROUP = LinePattern("«resident»\t«code»\t«since»")


def _groups(batch: ResidentBatch) -> Copied:
    """Key groups that the register knows, each since its own day: the 65th birthday, the diagnosis, the birth."""
    part = batch.residents
    bits, births, first = part.column("key_groups"), part.column("birth_date"), int(part.column("id")[0])
    months = births.astype("datetime64[M]")
    since = {
        "elderly": (months + 12 * 65).astype("datetime64[D]") + (births - months.astype("datetime64[D]")),
        "child": births,
        "disabled": registered_on(batch),
    }
    sick, person = batch.conditions, batch.conditions.column("resident_id") - first
    for group, code in (*zip(DISEASES, CODES, strict=True), ("maternal", "Z34.900")):
        rows = sick.column("code") == code
        days = np.full(len(births), np.datetime64("NaT", "D"))
        days[person[rows]] = sick.column("onset_on")[rows]
        since[group] = days
    chunks = []
    for bit, group in enumerate(KEY_GROUPS):
        members = np.flatnonzero((bits >> bit & 1).astype(bool) & ~np.isnat(since[group]))
        if group in GROUPS:
            data = {
                "resident": (members + first).tolist(),
                "code": repeated(group, len(members)),
                "since": texts_of(since[group][members]),
            }
            chunks.append(blob(_GROUP, data))
    return Copied("residents_group", ("resident_id", "code", "since"), b"".join(chunks))


_INSURANCE = LinePattern("«key»\t«resident»\t«kind»\t«place»\timported\t«at»T01:00:00+00\t«organization»")
_INSURANCE_COLUMNS = ("key", "resident_id", "kind", "place", "source", "recorded_at", "organization_id")


def _insurances(batch: ResidentBatch, setting: Setting) -> Copied:
    """How everybody's care is paid, as it came with the register."""
    part = batch.residents
    ids = texts_of(part.column("id"))
    kinds = insurance.insurance_kinds(batch, seed=setting.seed, today=np.datetime64(setting.today, "D"))
    data = {
        "key": keys("insurance", setting.seed, ids),
        "resident": ids,
        "kind": texts_of(kinds),
        "place": np.where(kinds == "self-pay", "", insurance.PLACE).tolist(),
        "at": texts_of(registered_on(batch)),
        "organization": texts_of(part.column("clinic_id")),
    }
    return Copied("residents_insurance", _INSURANCE_COLUMNS, blob(_INSURANCE, data))


@dataclass(frozen=True, slots=True)
class _Ties:
    """Why units see residents: a number of each tie, the position in the batch, the unit, from when to when, and what
    it was opened for."""

    number: Array
    person: Array
    unit: Array
    opened: list[str]
    closes: list[str]
    since: list[str]
    episode: list[str]


def contracted(batch: ResidentBatch) -> Array:
    """Whether each resident of the batch has a contract in force."""
    part = batch.contracts
    found = np.zeros(len(batch.residents), dtype=bool)
    first = int(batch.residents.column("id")[0])
    found[part.column("resident_id")[part.column("status") == "active"] - first] = True
    return found


def _contract_ties(batch: ResidentBatch, setting: Setting) -> _Ties:
    """A contract in force opens the record to the village clinic and to the centre of its team."""
    part, first = batch.contracts, int(batch.residents.column("id")[0])
    active = np.flatnonzero(part.column("status") == "active")
    clinic = batch.residents.column("clinic_id")[part.column("resident_id")[active] - first]
    centre = part.column("primary_organization_id")[active]
    twice = np.flatnonzero(clinic != centre)
    rows = np.concatenate([active, active[twice]])
    start = texts_of(part.column("start_on")[rows])
    number = part.column("id")[rows] * 4
    number[len(active) :] += 1
    return _Ties(
        number,
        part.column("resident_id")[rows] - first,
        np.concatenate([clinic, centre[twice]]),
        compound(start, pattern="%sT00:00:00+08"),
        compound(texts_of(part.column("end_on")[rows] + 1), pattern="%sT00:00:00+08"),
        start,
        compound(keys("contract", setting.seed, part.column("id")[rows].tolist()), pattern="contract/%s"),
    )


def _visit_ties(batch: ResidentBatch, setting: Setting) -> _Ties:
    """Visits of the last days, where no contract gives the unit the same view."""
    part, residents = batch.visits, batch.residents
    person = part.column("resident_id") - int(residents.column("id")[0])
    unit, started = part.column("organization_id"), part.column("started_at")
    recent = started >= np.datetime64(setting.today, "D") - _VISIT_OPEN_DAYS
    own = (unit == residents.column("clinic_id")[person]) | (unit == residents.column("unit_id")[person])
    known = contracted(batch)[person] & own
    living = np.isnat(residents.column("deceased_on"))[person]
    rows = np.flatnonzero(recent & ~known & living)
    return _Ties(
        part.column("id")[rows] * 4 + 2,
        person[rows],
        unit[rows],
        compound(texts_of(started[rows]), pattern="%s:00+00"),
        compound(texts_of(started[rows] + np.timedelta64(_VISIT_OPEN_DAYS, "D")), pattern="%s:00+00"),
        texts_of(started[rows].astype("datetime64[D]")),
        compound(keys("visit", setting.seed, part.column("id")[rows].tolist()), pattern="visit/%s"),
    )


_RELATIONSHIP = LinePattern(
    f"«key»\t«resident»\t«unit»\t{CONSORTIUM}\t«reason»\tfull\t«episode»\t\tf\t«opened»\t«closes»\t"
)
_RELATIONSHIP_COLUMNS = (
    "key", "resident_id", "organization_id", "consortium_id", "reason", "scope", "episode", "category", "sensitive",
    "opened_at", "closes_at", "basis",
)  # fmt: skip
_PANEL = LinePattern("«unit»\t«resident»\t«name»\t«pinyin»\t«initials»\t«since»")
_PANEL_COLUMNS = ("organization_id", "resident_id", "name", "pinyin", "initials", "since")


def _seen_by(batch: ResidentBatch, setting: Setting) -> list[Copied]:
    """Care relationships, and a panel entry for every unit that has one."""
    part = batch.residents
    first = int(part.column("id")[0])
    ties = (("contract", _contract_ties(batch, setting)), ("visit", _visit_ties(batch, setting)))
    chunks = []
    for reason, tie in ties:
        data = {
            "key": keys("relationship", setting.seed, tie.number.tolist()),
            "resident": (tie.person + first).tolist(),
            "unit": tie.unit.tolist(),
            "reason": repeated(reason, len(tie.person)),
            "episode": tie.episode,
            "opened": tie.opened,
            "closes": tie.closes,
        }
        chunks.append(blob(_RELATIONSHIP, data))
    person = np.concatenate([tie.person for _, tie in ties])
    unit = np.concatenate([tie.unit for _, tie in ties])
    since = [day for _, tie in ties for day in tie.since]
    _, once = np.unique(unit.astype(np.int64) << 40 | person, return_index=True)
    names, pinyin, initials = (texts_of(part.column(name)) for name in ("name", "pinyin", "initials"))
    members = person[once].tolist()
    panel = {
        "unit": unit[once].tolist(),
        "resident": (person[once] + first).tolist(),
        "name": [names[one] for one in members],
        "pinyin": [pinyin[one] for one in members],
        "initials": [initials[one] for one in members],
        "since": [since[one] for one in once.tolist()],
    }
    return [
        Copied("access_carerelationship", _RELATIONSHIP_COLUMNS, b"".join(chunks)),
        Copied("residents_panelentry", _PANEL_COLUMNS, blob(_PANEL, panel)),
    ]
