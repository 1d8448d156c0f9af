"""Texts as searches compare them: without case, accents and double spaces (hl7.org/fhir/R4/search.html#string)."""

import unicodedata
from collections.abc import Iterator
from typing import Any

from pypinyin import lazy_pinyin

# What an index row can hold.
LONGEST = 400
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


def plain(text: str) -> str:
    """A text as a search compares it."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text.replace("\0", ""))
        text = unicodedata.normalize("NFKC", "".join(one for one in parts if not unicodedata.combining(one)))
    return " ".join(text.replace("\0", "").casefold().split())[:LONGEST]


def spoken(text: str) -> str:
    """How a name is said: Chinese by its pinyin without tones, anything else by its letters."""
    return "".join(one for one in "".join(lazy_pinyin(plain(text))) if one.isalnum())[:LONGEST]


def texts_in(value: Any, type: str) -> Iterator[str]:
    """Every text of a string, a name or an address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in _NAME_PARTS if type == "HumanName" else _ADDRESS_PARTS:
            for one in value[part] if isinstance(value.get(part), list) else [value.get(part)]:
                if isinstance(one, str) and one.strip():
                    yield one
