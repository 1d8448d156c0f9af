"""Identifiers: valid by an independent implementation, unique, and nobody's."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from doorstep.demo.county.identifiers import (
    NationalIdRegister,
    credit_code,
    is_national_id,
    national_id,
    national_id_check,
    organization_phone,
)

BIRTHS = st.dates(date(1910, 1, 1), date(2030, 12, 31))


def test_national_id_check_of_the_standard_example() -> None:
    assert national_id_check("11010519491231002") == "X"


@given(birth=BIRTHS, male=st.booleans(), rank=st.integers(0, 499))
def test_national_id_agrees_with_an_independent_check(birth: date, male: bool, rank: int) -> None:
    number = national_id(birth, male=male, rank=rank)
    assert is_national_id(number)
    assert ric.calc_check_digit(number) == number[17]
    assert int(number[16]) % 2 == int(male)


@given(birth=BIRTHS, rank=st.integers(0, 499), position=st.integers(0, 16), step=st.integers(1, 9))
def test_is_national_id_refuses_one_wrong_digit(birth: date, rank: int, position: int, step: int) -> None:
    number = national_id(birth, male=True, rank=rank)
    wrong = str((int(number[position]) + step) % 10)
    assert not is_national_id(number[:position] + wrong + number[position + 1 :])


@given(births=st.lists(BIRTHS, min_size=1, max_size=40), male=st.booleans())
def test_issue_deals_every_id_once(births: list[date], male: bool) -> None:
    register = NationalIdRegister()
    days = np.array(births, dtype="datetime64[D]")
    males = np.full(len(births), int(male))
    numbers = [*register.issue(days, males).tolist(), *register.issue(days, males).tolist()]
    assert len(set(numbers)) == 2 * len(births)
    assert all(is_national_id(number) for number in numbers)


def test_issue_refuses_more_people_than_a_day_has_ids() -> None:
    days = np.full(500, np.datetime64("1990-01-01", "D"))
    with pytest.raises(ValueError, match="born on one day"):
        NationalIdRegister().issue(days, np.zeros(500, dtype=np.int64))


@pytest.mark.parametrize(
    "bad", ["", "4399811963031288", "43998119630231880X", "４３９981196303128806", "439981196303128805"]
)
def test_is_national_id_refuses(bad: str) -> None:
    assert not is_national_id(bad)


@given(serial=st.integers(0, 99_999_999))
def test_credit_code_agrees_with_an_independent_check(serial: int) -> None:
    assert uscc.is_valid(credit_code(serial))


def test_phones_are_of_a_series_that_nobody_has() -> None:
    assert organization_phone(49) == "15400000049"
