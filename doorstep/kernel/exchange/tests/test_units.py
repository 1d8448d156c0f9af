"""Which written units are UCUM as they stand, and which only look so."""

import pytest

from doorstep.kernel.exchange.units import as_it_stands

MEANT = (
    *("mmol/L", "umol/L", "g/L", "mg/dL", "ng/mL", "pg", "fL", "U/L", "mU/L", "kU/L", "10*9/L", "10^12/L", "/uL", "/min", "%", "cm"),
    *("mm[Hg]", "Cel", "[IU]/mL", "m[IU]/L", "kg/m2", "mL/min/{1.73_m2}", "s", "mosm/kg", "ug/min", "{ratio}", "10*3/uL", "mm/h"),
)  # fmt: skip
# UCUM too, and something else in a laboratory: gauss, tesla, atomic masses, barns, picohenry, siemens, astronomical units, kelvin.
OTHERWISE = (
    "G/L",
    "T/L",
    "u/L",
    "b/min",
    "pH",
    "S/CO",
    "AU/mL",
    "K/uL",
    "M/uL",
    "IU/mL",
    "mmHg",
    "℃",
    "次/分",
    "COI",
    "",
    "/",
    "(",
    "R",
)


@pytest.mark.parametrize("written", MEANT)
def test_as_it_stands_takes_what_laboratories_mean(written: str) -> None:
    assert as_it_stands(written) == written


@pytest.mark.parametrize("written", OTHERWISE)
def test_as_it_stands_leaves_what_may_mean_otherwise(written: str) -> None:
    assert as_it_stands(written) is None


def test_as_it_stands_reads_the_print_sign_of_micro() -> None:
    assert as_it_stands("µmol/L") == as_it_stands("μmol/L") == "umol/L"
