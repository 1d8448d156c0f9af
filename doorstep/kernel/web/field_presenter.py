"""Turns a Django BoundField into what the field component draws."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField, widgets
from django.utils.safestring import SafeString
from django.utils.translation import gettext


@dataclass(frozen=True, kw_only=True)
class FieldView:
    """One field of a form, ready to draw."""

    id: str
    label: str
    help: str
    errors: list[str]
    required: bool
    kind: str
    control: SafeString
    options: list[Any]


def describe_field(bound: BoundField, **attributes: Any) -> FieldView:
    """Return the view of a bound field; attributes (data_x becomes data-x, None drops it) go to the control itself."""
    kind = _kind(bound.field.widget)
    given = {name.replace("_", "-"): value for name, value in attributes.items() if value is not None}
    errors = [str(error) for error in bound.errors]
    identifier = bound.auto_id or bound.html_name
    described = " ".join(
        part
        for part in (f"{identifier}-help" if bound.help_text else "", f"{identifier}-error" if errors else "")
        if part
    )
    if described:
        given["aria-describedby"] = described
    if errors:
        given["aria-invalid"] = "true"
    css = {"select": "form-select", "choices": "form-check-input", "checkbox": "form-check-input"}.get(
        kind, "form-control"
    )
    given["class"] = " ".join(
        part for part in (css, str(given.get("class", "")), "is-invalid" if errors else "") if part
    )
    if kind == "choices":
        # Each option is a widget of its own and takes its class from the field's copy of the widget.
        bound.field.widget.attrs["class"] = given["class"]
    if kind in ("choices", "select"):
        bound.field.widget.choices = _spoken(bound.field.widget.choices)
    options = list(bound.subwidgets) if kind == "choices" else []
    return FieldView(
        id=identifier,
        label=str(bound.label),
        help=str(bound.help_text),
        errors=errors,
        required=bound.field.required,
        kind=kind,
        control=SafeString("") if options else bound.as_widget(attrs=given),
        options=options,
    )


def _spoken(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Choices in the reader's language: labels of tables and of code systems are written in Chinese."""
    return [
        (value, _spoken(label) if isinstance(label, list | tuple) else gettext(str(label)) if label else label)
        for value, label in choices
    ]


def _kind(widget: widgets.Widget) -> str:
    if widget.is_hidden:
        return "hidden"
    # Order matters: RadioSelect and CheckboxSelectMultiple are also Select in Django's tree.
    kinds: list[tuple[type[widgets.Widget], str]] = [
        (widgets.RadioSelect, "choices"),
        (widgets.CheckboxSelectMultiple, "choices"),
        (widgets.CheckboxInput, "checkbox"),
        (widgets.Select, "select"),
        (widgets.Textarea, "textarea"),
        (widgets.FileInput, "file"),
    ]
    return next((kind for cls, kind in kinds if isinstance(widget, cls)), "text")
