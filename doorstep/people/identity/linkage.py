"""Linking whole lists: Splink on DuckDB with the weights of `weights.py`, the same figures that the desk sees one by one.

The lists come as columns and leave as pairs; nothing of the database is touched here. Two records are compared when one of
the blocking rules brings them together; no rule does for people who share neither number, nor the sound of the name with birth
date, phone or address.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import splink.comparison_level_library as levels
from splink import Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison
from splink.internals.duckdb.database_api import DuckDBAPI

from doorstep.people.identity.linkage_result import Linked
from doorstep.people.identity.matching import Facts, Verdict, clean_address, may_link, spelled
from doorstep.people.identity.weights import AUTOMATIC, LEVELS, RAREST, REVIEW
from doorstep.people.residents.rules import sound

# DuckDB's distances count bytes, and a Chinese character has three: the rest of the name beside each place is compared.
_ONE_CHARACTER = " OR ".join(
    f"name_l[1:{place}] || name_l[{place + 2}:] = name_r[1:{place}] || name_r[{place + 2}:]" for place in range(20)
)
# The conditions of the levels in DuckDB's SQL, in the order of `LEVELS`; the last level is everything else.
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "number": (
        "number_l = number_r",
        "length(number_l) = length(number_r) AND damerau_levenshtein(number_l, number_r) = 1",
    ),
    "name": (
        "name_l = name_r",
        "pinyin_l = pinyin_r",
        "sound_l = sound_r",
        f"length(name_l) = length(name_r) AND ({_ONE_CHARACTER})",
    ),
    "birth_date": (
        "birth_date_l = birth_date_r",
        "birth_date_l[1:4] = birth_date_r[1:4] AND birth_date_l[5:6] = birth_date_r[7:8]"
        " AND birth_date_l[7:8] = birth_date_r[5:6]",
        "hamming(birth_date_l, birth_date_r) = 1",
    ),
    "gender": ("gender_l = gender_r",),
    "phone": ("phone_l = phone_r",),
    "address": ("address_l = address_r", "suffix(address_l, address_r) OR suffix(address_r, address_l)"),
}
_BLOCKS = (
    ("number",),
    ("sound", "birth_date"),
    ("sound", "phone"),
    ("sound", "address"),
    ("phone", "birth_date"),
    ("address", "birth_date"),
)
# So many bits must the likeliest partner of a line lead the second by; otherwise a person decides.
_LEAD = 10.0


def link(left: Sequence[Facts], right: Sequence[Facts] | None = None, *, threads: int = 2) -> list[Linked]:
    """Pairs of one person between two lists, or within one; the likeliest first. Times of a million lines: docs/benchmarks.md."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}")
    interface = DuckDBAPI(connection)
    tables = [interface.register(_table(rows), dataset_display_name=name) for name, rows in _lists(left, right)]
    population = len(left) + len(right or ())
    linker = Linker(tables, _settings(population, within=right is None), log_level=logging.ERROR)
    pairs = linker.inference.predict(threshold_match_probability=REVIEW)
    return _judge(connection, pairs.physical_name, within=right is None)


def _lists(left: Sequence[Facts], right: Sequence[Facts] | None) -> Iterable[tuple[str, Sequence[Facts]]]:
    yield "known", left
    if right is not None:
        yield "listed", right


def _table(rows: Sequence[Facts]) -> pa.Table:
    """The list as columns; empty texts become null, which weighs nothing."""
    pinyin = {name: spelled(name) for name in {row.name for row in rows}}
    sounds = {name: sound(text) for name, text in pinyin.items()}
    columns: dict[str, list[Any]] = {
        "unique_id": list(range(len(rows))),
        "number": [row.number or None for row in rows],
        "name": [row.name or None for row in rows],
        "pinyin": [pinyin[row.name] or None for row in rows],
        "sound": [sounds[row.name] or None for row in rows],
        "birth_date": [row.birth_date.strftime("%Y%m%d") if row.birth_date else None for row in rows],
        "gender": [row.gender if row.gender in ("male", "female") else None for row in rows],
        "phone": [row.phone or None for row in rows],
        "address": [clean_address(row.address) or None for row in rows],
    }
    return pa.table(columns)


def _settings(population: int, *, within: bool) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only" if within else "link_only",
        probability_two_random_records_match=1 / max(population, 2),
        comparisons=[_comparison(field) for field in LEVELS],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in _BLOCKS],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
    )


def _comparison(field: str) -> Any:
    null = levels.NullLevel(field)
    found: list[Any] = [null]
    for place, level in enumerate(LEVELS[field]):
        last = place == len(LEVELS[field]) - 1
        made: Any = levels.ElseLevel() if last else levels.CustomLevel(_CONDITIONS[field][place], level.code)
        if level.frequent:
            made = made.configure(
                m_probability=level.m,
                u_probability=level.u,
                tf_adjustment_column=field,
                tf_minimum_u_value=RAREST[field],
            )
        else:
            made = made.configure(m_probability=level.m, u_probability=level.u)
        found.append(made)
    return CustomComparison(found, output_column_name=field)


def _judge(connection: duckdb.DuckDBPyConnection, pairs: str, *, within: bool) -> list[Linked]:
    """Read the pairs; a line whose likeliest partner has no clear lead is left to a person."""
    gammas = ", ".join(f"gamma_{field}" for field in LEVELS)
    rows = connection.execute(
        f"SELECT unique_id_l, unique_id_r, match_weight, match_probability, {gammas} FROM {pairs}"
        " ORDER BY match_weight DESC, unique_id_l, unique_id_r"
    ).fetchall()
    found: list[Linked] = []
    best: dict[int, float] = {}
    second: dict[int, float] = {}
    for _left, right, weight, *_rest in rows:
        if right not in best:
            best[right] = weight
        else:
            second.setdefault(right, weight)
    for left, right, weight, probability, *codes in rows:
        verdict = Verdict(weight, probability, _codes(codes))
        if not verdict.worth_a_look:
            continue
        leads = weight == best[right] and weight - second.get(right, -1e9) >= _LEAD
        automatic = probability >= AUTOMATIC and may_link(verdict.levels) and (leads or within)
        found.append(Linked(left, right, verdict, automatic))
    return found


def _codes(gammas: Sequence[int]) -> dict[str, str]:
    """Splink numbers the levels from the likeliest down to 0; -1 is a field that one of the two lacks."""
    return {
        field: steps[len(steps) - 1 - gamma].code
        for (field, steps), gamma in zip(LEVELS.items(), gammas, strict=True)
        if gamma >= 0
    }
