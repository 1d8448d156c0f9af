"""Texts as searches compare them: without case, accents and double spaces (hl7.org/fhir/R4/search.html#string)."""

import unicodedata
from collections.abc import Iterator
from typing import Any

from doorstep.kernel.fhir import spelling
from doorstep.kernel.fhir.parameters import Parameter

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


def spoken(text: str, *, person: bool) -> str:
    """How a name is said: Chinese by its pinyin without tones, anything else by its letters; `person`: it begins with a surname."""
    say = spelling.of_name if person else spelling.syllables
    return "".join(one for one in "".join(say(plain(text))) if one.isalnum())[:LONGEST]


def compared(parameter: Parameter, text: str) -> str:
    """A text as the index of a parameter keeps it, and as a search by that parameter looks for it."""
    if parameter.code != "phonetic":
        return plain(text)
    return spoken(text, person=parameter.type != "Organization")


def texts_in(value: Any, type: str) -> Iterator[str]:
    """Every text of a string, a name or an address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in _NAME_PARTS if type == "HumanName" else _ADDRESS_PARTS:
            for one in value[part] if isinstance(value.get(part), list) else [value.get(part)]:
                if isinstance(one, str) and one.strip():
                    yield one
