"""Inputs whose value the browser reads: it wants ISO, whatever language the page speaks. Fields that forms share."""

import copy
from collections.abc import Collection, Mapping
from typing import Any

from django import forms


class DayInput(forms.DateInput):
    """A day. Django writes values in the page's language ("2026/11/24"), which a browser shows as an empty box."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SharedFields(dict[str, forms.Field]):
    """The fields of a large form's class, for its instances: a form copies all of its fields when it is made, a millisecond for
    thirty, though it changes few of them. These copy those alone that `changed` names; the others are never to be written (describe_field draws
    copies).
    """

    def __init__(self, fields: Mapping[str, forms.Field], *, changed: Collection[str]) -> None:
        super().__init__(fields)
        self._changed = changed

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        """What the form takes as its own."""
        return {name: copy.deepcopy(one, memo) if name in self._changed else one for name, one in self.items()}
