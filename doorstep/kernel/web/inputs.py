"""Inputs whose value the browser reads: it wants ISO, whatever language the page speaks."""

from django import forms


class DayInput(forms.DateInput):
    """A day. Django writes values in the page's language ("2026/11/24"), which a browser shows as an empty box."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
