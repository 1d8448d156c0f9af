"""Turns a Django BoundField into what the field component draws."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core import validators
from django.core.exceptions import ValidationError
from django.forms import BoundField, widgets
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# What Django says of itself about a field, by the identity of its sentence, and what our pages say: what to do, with the
# field's name. A form's own sentence is another object and stands as it was written.
_CURES: dict[int, Any] = {
    id(sentence): cure
    for sentence, cure in (
        (forms.Field.default_error_messages["required"], _("请填写%(label)s。")),
        (forms.IntegerField.default_error_messages["invalid"], _("请填写整数。")),
        (forms.DecimalField.default_error_messages["invalid"], _("请填写数字。")),
        (forms.DateField.default_error_messages["invalid"], _("请按 年-月-日 填写日期，例如 2026-01-31。")),
        (forms.TimeField.default_error_messages["invalid"], _("请按 时:分 填写时间，例如 08:30。")),
        (forms.ChoiceField.default_error_messages["invalid_choice"], _("请从列表中选择。")),
        (forms.MultipleChoiceField.default_error_messages["invalid_choice"], _("请从列表中选择。")),
        (validators.MinValueValidator.message, _("不能小于 %(limit_value)s，请核对。")),
        (validators.MaxValueValidator.message, _("不能大于 %(limit_value)s，请核对。")),
        (validators.MinLengthValidator.message, _("至少填写 %(limit_value)s 个字，现在是 %(show_value)s 个。")),
        (validators.MaxLengthValidator.message, _("最多填写 %(limit_value)s 个字，现在是 %(show_value)s 个。")),
    )
}
_CHOOSE = _("请选择%(label)s。")
_REQUIRED = id(forms.Field.default_error_messages["required"])


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
    errors = sentences_of(bound)
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
    if kind in ("choices", "select"):
        # A form may share its fields with others (SharedFields): what is drawn is a field of its own.
        bound.field = copy.copy(bound.field)
        bound.field.widget = copy.deepcopy(bound.field.widget)
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


def sentences_of(bound: BoundField) -> list[str]:
    """What is wrong with a field, each sentence with its cure; Django's own "this field is required" names the field."""
    found = bound.form.errors.as_data().get(bound.name, [])
    return [_sentence(bound, error) for error in found]


def _sentence(bound: BoundField, error: ValidationError) -> str:
    cure = _CURES.get(id(error.message))
    if cure is None:
        return " ".join(error.messages)
    if id(error.message) == _REQUIRED and _kind(bound.field.widget) in ("choices", "select", "file"):
        cure = _CHOOSE
    return str(cure) % {**(error.params or {}), "label": bound.label}


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
