"""Number checks by property, names and masks by example."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from doorstep.people.residents.rules import (
    NumberFault,
    birth_fault,
    mask_number,
    mask_phone,
    read_number,
    spell,
)

TODAY = date(2026, 11, 22)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Numbers with a right check digit."""
    division = draw(st.integers(110000, 659999))
    born = draw(st.dates(date(1900, 1, 1), TODAY))
    order = draw(st.integers(0, 999))
    body = f"{division}{born:%Y%m%d}{order:03d}"
    return body + ric.calc_check_digit(body + "0")


@given(numbers())
def test_read_number_gives_birth_date_and_sex(number: str) -> None:
    facts = read_number(number, today=TODAY)
    assert f"{facts.birth_date:%Y%m%d}" == number[6:14]
    assert facts.gender == ("male" if int(number[16]) % 2 else "female")
    assert read_number(f" {number.lower()} ", today=TODAY) == facts


@given(numbers(), st.integers(0, 17), st.integers(1, 9))
def test_read_number_refuses_one_wrong_digit(number: str, place: int, shift: int) -> None:
    old = number[place]
    new = "0" if old == "X" else str((int(old) + shift) % 10)
    with pytest.raises(NumberFault):
        read_number(number[:place] + new + number[place + 1 :], today=TODAY)


@given(numbers(), st.integers(0, 16))
def test_read_number_refuses_two_neighbours_swapped(number: str, place: int) -> None:
    if number[place] == number[place + 1]:
        return
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(NumberFault):
        read_number(swapped, today=TODAY)


@given(st.text(max_size=25))
def test_read_number_never_fails_otherwise(text: str) -> None:
    with suppress(NumberFault):
        assert read_number(text, today=TODAY).birth_date <= TODAY


def test_spell_gives_pinyin_and_initials() -> None:
    assert (spell("周桂兰").pinyin, spell("周桂兰").initials) == ("zhou gui lan", "zgl")
    # A surname is read as one, also where a text reads the character otherwise; compound ones are known whole.
    assert (spell("曾国芳").pinyin, spell("曾国芳").initials) == ("zeng guo fang", "zgf")
    assert [spell(name).pinyin for name in ("翟小红", "卜平", "单于明", "解放", "高乐")] == [
        "zhai xiao hong", "bu ping", "chan yu ming", "xie fang", "gao le",
    ]  # fmt: skip
    assert spell("Anna Li").initials


def test_masks_hide_the_middle() -> None:
    assert mask_number("439981196309150027") == "439981********0027"
    assert mask_phone("19900001234") == "199****1234"
    assert mask_phone("12345") == "*****"
    assert mask_number("") == ""


def test_birth_fault_knows_slips_of_the_year() -> None:
    today = date(2026, 5, 1)
    assert birth_fault(date(2026, 5, 1), today=today) == birth_fault(date(1897, 1, 1), today=today) == ""
    assert "130" in birth_fault(date(1850, 1, 1), today=today)
    assert birth_fault(date(2026, 5, 2), today=today)
