"""Rows of a year of care: contracts, visits, and the resources of the record."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from doorstep.coordination.visits import states
from doorstep.demo.county import insurance
from doorstep.demo.county.columns import Array, Columns, texts
from doorstep.demo.county.county import County
from doorstep.demo.county.residents import ResidentBatch
from doorstep.demo.loading import prototypes
from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.index_shapes import TABLES as INDEX_TABLES
from doorstep.demo.loading.keys import keys
from doorstep.demo.loading.lines import LinePattern, blob, compound, texts_of
from doorstep.demo.loading.people import registered_on
from doorstep.demo.loading.shapes import Shape, picked
from doorstep.kernel.terminology.reading import DATA, rows

TABLES = ("contracts_contract", "visits_visit", "record_resource", "record_resourceversion", *INDEX_TABLES)
# Numbers of resources that a resident's history can take: batches number their resources without asking each other.
_ROOM = 10_000
# Resources of one kind with their columns.
Lot = tuple[Shape, dict[str, list[Any]]]
_PURPOSES = {"follow_up": "慢性病随访", "antenatal": "产前检查", "check_up": "健康体检"}


@dataclass(frozen=True)
class Ward:
    """The county as the tables that histories look things up in, by id: keys and names."""

    county: County

    @cached_property
    def organization_keys(self) -> Array:
        """Keys of organisations."""
        return texts(["", *keys("organization", self.county.seed, (row.id for row in self.county.organizations))])

    @cached_property
    def organization_names(self) -> Array:
        """Names of organisations."""
        return texts(["", *(row.name for row in self.county.organizations)])

    @cached_property
    def practitioner_keys(self) -> Array:
        """Keys of people who work."""
        return texts(["", *keys("practitioner", self.county.seed, (row.id for row in self.county.practitioners))])

    @cached_property
    def practitioner_names(self) -> Array:
        """Names of people who work."""
        return texts(["", *(row.name for row in self.county.practitioners)])

    @cached_property
    def teams(self) -> Array:
        """Names of teams."""
        return texts(["", *(row.name for row in self.county.teams)])

    @cached_property
    def diagnoses(self) -> dict[str, str]:
        """Chinese names of the diagnoses."""
        return {row.code: row.display_zh for row in rows(DATA / "icd10.csv")}


def history(batch: ResidentBatch, ward: Ward) -> list[Copied]:
    """Everything that was written about the residents of a batch."""
    who = _Who(batch, ward)
    resources = [
        *_patients(batch, who),
        *_coverages(batch, who),
        *_encounters(batch, who),
        *_observations(batch, who),
        *_conditions(batch, who),
        *_medications(batch, who),
        *_agreements(batch, who),
    ]
    rows = [_contracts(batch, who), _visits(batch, who)]
    place = who.first * _ROOM
    for shape, columns in resources:
        rows += shape.copied(columns, place)
        place += len(columns["id"])
    return _together(rows)


def _together(parts: list[Copied]) -> list[Copied]:
    """The rows of each table in one piece."""
    pieces: dict[tuple[str, tuple[str, ...]], list[bytes]] = {}
    for part in parts:
        pieces.setdefault((part.table, part.columns), []).append(part.data)
    return [Copied(table, columns, b"".join(data)) for (table, columns), data in pieces.items()]


class _Who:
    """The residents of a batch by position, and the columns that most resources have."""

    def __init__(self, batch: ResidentBatch, ward: Ward) -> None:
        part = batch.residents
        self.ward, self.seed = ward, ward.county.seed
        self.first = int(part.column("id")[0])
        self.names = part.column("name")
        self.keys = texts(keys("resident", self.seed, part.column("id").tolist()))
        self.clinics = part.column("clinic_id")

    def of(self, part: Columns) -> dict[str, list[Any]]:
        """resident, patient key and name of each row that has a resident_id."""
        person = part.column("resident_id") - self.first
        return {
            "resident": part.column("resident_id").tolist(),
            "patient": self.keys[person].tolist(),
            "name": self.names[person].tolist(),
        }

    def unit(self, organization: Array) -> dict[str, list[Any]]:
        """Id, key and name of the organisations of some rows."""
        return {
            "organization": organization.tolist(),
            "unit": self.ward.organization_keys[organization].tolist(),
            "unit_name": self.ward.organization_names[organization].tolist(),
        }

    def doctor(self, practitioner: Array) -> dict[str, list[Any]]:
        """Key and name of the practitioners of some rows."""
        return {
            "doctor": self.ward.practitioner_keys[practitioner].tolist(),
            "doctor_name": self.ward.practitioner_names[practitioner].tolist(),
        }


def _split(columns: dict[str, list[Any]], kinds: Array, shapes: dict[Any, Shape]) -> list[Lot]:
    """The rows by kind, each filled into the shape of its kind; kinds without a shape are left out."""
    found = []
    for kind, shape in shapes.items():
        members = np.flatnonzero(kinds == kind).tolist()
        found.append((shape, picked(columns, members)))
    return found


def _patients(batch: ResidentBatch, who: _Who) -> list[Lot]:
    part = batch.residents
    numbers = part.column("national_id")
    columns = {
        "id": who.keys.tolist(),
        "resident": part.column("id").tolist(),
        "number": numbers.tolist(),
        "record": compound(part.column("id").tolist(), pattern="L%011d"),
        "name": who.names.tolist(),
        "phone": part.column("phone").tolist(),
        "gender": part.column("gender").tolist(),
        "day": texts_of(part.column("birth_date")),
        "last_day": texts_of(part.column("deceased_on")),
        "address": part.column("address").tolist(),
        "at": compound(texts_of(registered_on(batch)), pattern="%sT01:00"),
        **who.unit(who.clinics),
    }
    kinds = 2 * np.array([number is not None for number in numbers.tolist()]) + ~np.isnat(part.column("deceased_on"))
    return _split(columns, kinds, prototypes.patients())


def _coverages(batch: ResidentBatch, who: _Who) -> list[Lot]:
    county, ids = who.ward.county, batch.residents.column("id").tolist()
    columns = {
        "id": keys("insurance", who.seed, ids),
        "resident": ids,
        "patient": who.keys.tolist(),
        "name": who.names.tolist(),
        "at": compound(texts_of(registered_on(batch)), pattern="%sT01:00"),
        "organization": who.clinics.tolist(),
    }
    kinds = insurance.insurance_kinds(batch, seed=county.seed, today=np.datetime64(county.today, "D"))
    return _split(columns, kinds, prototypes.coverages(insurance.KINDS, insurance.PLACE))


_VISIT = LinePattern(
    f"«row»\t«id»\t{CONSORTIUM}\t{states.FINISHED}\t«ended»:00+00\t«at»:00+00\t«resident»\t«organization»\t«person»"
    "\toutpatient\t«complaint»\t«ended»:00+00"
)
_VISIT_COLUMNS = (
    "id", "key", "consortium_id", "state", "state_since", "created_at", "resident_id", "organization_id",
    "practitioner_id", "kind", "complaint", "ended_at",
)  # fmt: skip


def _visit_columns(batch: ResidentBatch, who: _Who) -> dict[str, list[Any]]:
    part = batch.visits
    diagnoses = who.ward.diagnoses
    return {
        "row": part.column("id").tolist(),
        "id": keys("visit", who.seed, part.column("id").tolist()),
        "at": texts_of(part.column("started_at")),
        "ended": texts_of(part.column("ended_at")),
        "person": part.column("practitioner_id").tolist(),
        "complaint": [
            _PURPOSES.get(kind) or diagnoses.get(code, code)
            for kind, code in zip(part.column("kind").tolist(), part.column("code").tolist(), strict=True)
        ],
        **who.of(part),
        **who.unit(part.column("organization_id")),
        **who.doctor(part.column("practitioner_id")),
    }


def _visits(batch: ResidentBatch, who: _Who) -> Copied:
    return Copied("visits_visit", _VISIT_COLUMNS, blob(_VISIT, _visit_columns(batch, who)))


def _encounters(batch: ResidentBatch, who: _Who) -> list[Lot]:
    return [(prototypes.encounter(), _visit_columns(batch, who))]


def _observations(batch: ResidentBatch, who: _Who) -> list[Lot]:
    """One Observation per value, the two pressures in one panel."""
    part = batch.observations
    codes = part.column("code")
    columns = {
        "id": keys("observation", who.seed, part.column("id").tolist()),
        "visit": keys("visit", who.seed, part.column("visit_id").tolist()),
        "at": texts_of(part.column("effective_at")),
        "value": part.column("value").tolist(),
        **who.of(part),
        **who.doctor(part.column("practitioner_id")),
        "organization": part.column("organization_id").tolist(),
    }
    upper, lower = np.flatnonzero(codes == prototypes.SYSTOLIC), np.flatnonzero(codes == prototypes.DIASTOLIC)
    if (part.column("visit_id")[upper] != part.column("visit_id")[lower]).any():
        raise ValueError("a systolic pressure without its diastolic one")
    pressures = picked(columns, upper.tolist()) | {"other": part.column("value")[lower].tolist()}
    return [(prototypes.pressure(), pressures), *_split(columns, codes, prototypes.signs())]


def _conditions(batch: ResidentBatch, who: _Who) -> list[Lot]:
    part = batch.conditions
    onset = texts_of(part.column("onset_on"))
    columns = {
        "id": keys("condition", who.seed, part.column("id").tolist()),
        "day": onset,
        "at": compound(onset, pattern="%sT02:00"),
        **who.of(part),
        "organization": part.column("recorded_by_organization_id").tolist(),
    }
    codes = part.column("code")
    names = who.ward.diagnoses
    shapes = {code: prototypes.condition(code, names[code]) for code in np.unique(codes.astype(str)).tolist()}
    return _split(columns, codes, shapes)


def _medications(batch: ResidentBatch, who: _Who) -> list[Lot]:
    part = batch.medications
    start = texts_of(part.column("start_on"))
    columns = {
        "id": keys("medication", who.seed, part.column("id").tolist()),
        "day": start,
        "last_day": texts_of(part.column("end_on")),
        "at": compound(start, pattern="%sT02:30"),
        "medicine": part.column("medicine").tolist(),
        "atc": part.column("atc_code").tolist(),
        "dosage": compound(
            part.column("dose").tolist(), part.column("times_a_day").tolist(), pattern="每次 %s，每日 %d 次"
        ),
        "organization": part.column("organization_id").tolist(),
        **who.of(part),
        **who.doctor(part.column("practitioner_id")),
    }
    sensitive = np.array([code.startswith("N05") for code in part.column("atc_code").tolist()], dtype=np.int64)
    kinds = 2 * sensitive + ~np.isnat(part.column("end_on"))
    return _split(columns, kinds, prototypes.medications())


_CONTRACT = LinePattern(
    f"«row»\t«id»\t{CONSORTIUM}\t«state»\t«at»:00+00\t«at»:00+00\t«resident»\t«team»\t«leader»\t«centre»"
    "\t«organization»\t«secondary»\t«tertiary»\t«day»\t«term»\t«last_day»\tbasic\t0\t0\t0\tt\t«day»\tperson\t«name»"
    "\t\t«at»:00+00\t«ending»"
)
_CONTRACT_COLUMNS = (
    "id", "key", "consortium_id", "state", "state_since", "created_at", "resident_id", "team_id", "doctor_id",
    "organization_id", "signing_organization_id", "secondary_hospital_id", "tertiary_hospital_id", "starts_on",
    "term_years", "ends_on", "package_code", "fee_insurance", "fee_public_health", "fee_resident", "consents_to_record",
    "consented_on", "sign_mode", "signer_name", "signer_relation", "signed_at", "ending",
)  # fmt: skip


def _contract_columns(batch: ResidentBatch, who: _Who) -> dict[str, list[Any]]:
    part = batch.contracts
    person, centre = part.column("resident_id") - who.first, part.column("primary_organization_id")
    start = texts_of(part.column("start_on"))
    unit = who.unit(centre)
    second, third = (who.unit(part.column(f"{tier}_organization_id")) for tier in ("secondary", "tertiary"))
    return {
        "row": part.column("id").tolist(),
        "id": keys("contract", who.seed, part.column("id").tolist()),
        "state": part.column("status").tolist(),
        "at": compound(start, pattern="%sT01:30"),
        **who.of(part),
        "team": part.column("team_id").tolist(),
        "team_name": who.ward.teams[part.column("team_id")].tolist(),
        "leader": who.ward.county.tables.team_doctor[part.column("team_id")].tolist(),
        "centre": centre.tolist(),
        "unit": unit["unit"],
        "unit_name": unit["unit_name"],
        "second": second["unit"],
        "second_name": second["unit_name"],
        "third": third["unit"],
        "third_name": third["unit_name"],
        "organization": who.clinics[person].tolist(),
        "secondary": part.column("secondary_organization_id").tolist(),
        "tertiary": part.column("tertiary_organization_id").tolist(),
        "day": start,
        "last_day": texts_of(part.column("end_on")),
        "term": part.column("term_years").tolist(),
        "ending": np.where(part.column("status") == "terminated", "died", "").tolist(),
    }


def _contracts(batch: ResidentBatch, who: _Who) -> Copied:
    return Copied("contracts_contract", _CONTRACT_COLUMNS, blob(_CONTRACT, _contract_columns(batch, who)))


def _agreements(batch: ResidentBatch, who: _Who) -> list[Lot]:
    columns = _contract_columns(batch, who)
    states_of = batch.contracts.column("status")
    found = []
    for shapes, ending in prototypes.agreements():
        columns["id"] = compound(keys("contract", who.seed, columns["row"]), pattern=f"%s{ending}")
        columns["contract"] = keys("contract", who.seed, columns["row"])
        found += _split(columns, states_of, shapes)
    return found


VERSIONS = """
INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive,
    written_at, content)
SELECT id, version, resident_id, organization_id, episode, category, sensitive, updated_at, content FROM record_resource
"""
