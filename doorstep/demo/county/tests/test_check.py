"""The self check is worth something only if it finds what is wrong."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from doorstep.demo.county.check import check_county
from doorstep.demo.county.columns import Columns
from doorstep.demo.county.county import build_county
from doorstep.demo.county.residents import ResidentBatch, generate

COUNTY = build_county(1, date(2026, 7, 1))


def broken(batch: ResidentBatch, stream: str, name: str, value: object) -> ResidentBatch:
    part: Columns = getattr(batch, stream)
    arrays = list(part.arrays)
    changed = arrays[part.names.index(name)].copy()
    changed[0] = value
    arrays[part.names.index(name)] = changed
    return replace(batch, **{stream: Columns(part.names, tuple(arrays))})


@pytest.mark.parametrize(
    ("stream", "name", "value", "sentence"),
    [
        ("residents", "national_id", "439981196303128805", "national id invalid"),
        ("residents", "gender", "male", "names another sex"),
        ("residents", "deceased_on", np.datetime64("2025-01-05"), "was not alive"),
        ("households", "size", 9, "size or head is wrong"),
        ("conditions", "onset_on", np.datetime64("2026-07-02"), "in the future"),
        ("medications", "start_on", np.datetime64("2001-01-01"), "no such condition"),
        ("visits", "started_at", np.datetime64("2026-08-01T02:00", "m"), "in the future"),
        ("visits", "practitioner_id", 15, "did not work there"),
        ("observations", "visit_id", 20, "does not belong to its visit"),
        ("follow_ups", "condition_code", "F20.900", "before the diagnosis"),
        ("contracts", "status", "expired", "should be active"),
        ("admissions", "discharged_on", np.datetime64("2020-01-01"), "ends before it begins"),
    ],
)
def test_check_county_names_what_is_wrong(stream: str, name: str, value: object, sentence: str) -> None:
    batch = broken(next(iter(generate(COUNTY, residents=12))), stream, name, value)
    assert any(sentence in line for line in check_county(COUNTY, [batch]))
