"""The terminology files: whole, listed, and holding every code that the county uses."""

import csv
import tomllib
from datetime import date
from pathlib import Path

import pytest

from doorstep.demo.county.county import build_county
from doorstep.demo.county.diseases import CODES, KEY_GROUPS
from doorstep.demo.county.measurements import ITEMS
from doorstep.demo.county.residents import generate
from doorstep.demo.county.workforce import ROLES

DATA = Path(__file__).parents[3] / "kernel" / "terminology" / "data"
SYSTEMS = tomllib.loads((DATA / "manifest.toml").read_text(encoding="utf-8"))["system"]
# Ranges of a system's codes, without codes of their own.
VALUE_SETS = ["sensitive_diagnoses.csv"]


def rows(name: str) -> dict[str, dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system["file"])
def test_file_has_unique_codes_displays_and_known_parents(system: dict[str, object]) -> None:
    with (DATA / str(system["file"])).open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        assert next(reader) == ["code", "display_zh", "display_en", "parent", "extra"]
        lines = list(reader)
    codes = [line[0] for line in lines]
    assert len(set(codes)) == len(codes) > 0
    assert all(len(line) == 5 and line[1] and line[2] for line in lines)
    assert {line[3] for line in lines if line[3]} <= set(codes)
    assert set(system) == {"file", "system", "version", "title_zh", "title_en", "source", "licence", "verified"}


def test_manifest_lists_every_file_once() -> None:
    listed = [system["file"] for system in SYSTEMS]
    assert sorted([*listed, *VALUE_SETS]) == sorted(path.name for path in DATA.glob("*.csv"))
    assert len({system["system"] for system in SYSTEMS}) == len(SYSTEMS)


def test_files_hold_every_code_of_the_county() -> None:
    county = build_county(1, date(2026, 7, 1))
    used: set[str] = set(CODES)
    for batch in generate(county, residents=4000):
        used |= set(batch.visits.column("code")) | set(batch.admissions.column("code"))
        used |= set(batch.conditions.column("code"))
    assert used <= set(rows("icd10.csv"))
    assert {code for code, _ in ITEMS} <= set(rows("loinc.csv"))
    assert {unit for _, unit in ITEMS} <= set(rows("ucum.csv"))
    assert set(rows("practitioner_roles.csv")) == set(ROLES)
    assert set(rows("key_groups.csv")) == set(KEY_GROUPS)
    classes, levels = set(rows("organization_classes.csv")), rows("organization_levels.csv").values()
    assert {row.class_code for row in county.organizations} <= classes
    assert {row.level for row in county.organizations if row.level} <= {row["display_zh"] for row in levels}
    titles = {row["display_zh"] for row in rows("practitioner_titles.csv").values()}
    # A machine has none.
    assert {person.title for person in county.practitioners if person.title} <= titles


def test_units_of_observations_agree_with_loinc() -> None:
    loinc = rows("loinc.csv")
    for code, unit in ITEMS:
        assert f"unit={unit}" in loinc[code]["extra"].split(";")


@pytest.mark.parametrize("seed", [1, 2])
def test_divisions_are_the_places_of_every_county(seed: int) -> None:
    county = build_county(seed, date(2026, 7, 1))
    divisions = rows("divisions.csv")
    expected = {place.code: place.name for place in county.places} | {
        f"{area.code}000": area.name for area in county.areas
    }
    assert {code: row["display_zh"] for code, row in divisions.items() if code != "439981000000"} == expected
