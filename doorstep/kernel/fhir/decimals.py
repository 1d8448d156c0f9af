"""Decimals that keep their text."""

from typing import Any

import orjson


class Exact(float):
    """A decimal that remembers its text; as a number it is a plain float."""

    text: str

    def __new__(cls, text: str) -> "Exact":
        """Keep the text beside the number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def decimal_text(value: Any) -> Any:
    """What orjson writes for a decimal; raises TypeError for anything else that it does not know."""
    if isinstance(value, Exact):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")
