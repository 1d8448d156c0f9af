"""Forms of stopping and resuming: which days, the whole day or which hours of it, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.forms import TIME, day_field
from doorstep.coordination.scheduling.hours import PART_NAMES, PARTS, Hours

_BY_THE_CLOCK = "hours"


class _PartOfDayForm(forms.Form):
    """The whole day, half a day by its name, or hours by the clock."""

    part = forms.ChoiceField(label=_("时段"), choices=PART_NAMES, required=False)
    starts = forms.TimeField(label=_("几点起"), widget=forms.TimeInput(format="%H:%M", attrs=TIME), required=False)
    ends = forms.TimeField(
        label=_("几点止"),
        widget=forms.TimeInput(format="%H:%M", attrs=TIME),
        required=False,
        help_text=_("仅“指定时间”填写；在这段时间内开始的号计入。"),
    )

    def clean(self) -> dict[str, Any]:
        """Hours are given with the choice that means them, and with nothing else: nobody stops a day who meant an hour."""
        facts = super().clean() or {}
        starts, ends = facts.get("starts"), facts.get("ends")
        if facts.get("part") == _BY_THE_CLOCK:
            for name in ("starts", "ends"):
                if facts.get(name) is None and name not in self.errors:
                    self.add_error(name, _("请填写时间，例如 08:00。"))
            if starts and ends and ends <= starts:
                self.add_error("ends", _("结束时间须晚于开始时间。"))
        elif starts or ends:
            self.add_error("part", _("已填写时间，请选择“指定时间”，或清空时间。"))
        return facts

    def hours(self) -> Hours | None:
        """Which hours of each day are meant; None for the whole day."""
        facts = self.cleaned_data
        if facts["part"] == _BY_THE_CLOCK:
            return Hours(facts["starts"], facts["ends"])
        return PARTS.get(facts["part"])


class StopForm(_PartOfDayForm):
    """The days for which a clinic stops, which hours of them, and why."""

    first = day_field(_("停诊从"))
    last = day_field(_("停诊到"))
    reason = forms.CharField(label=_("停诊原因"), max_length=200, help_text=_("会告知已预约的居民和转出机构。"))

    field_order: tuple[str, ...] = ("first", "last", "part", "starts", "ends", "reason")


class ScopeStopForm(StopForm):
    """A stop of everything that a department, a doctor, a room or a machine offers."""

    scope = forms.ChoiceField(label=_("停诊对象"))

    field_order = ("scope", *StopForm.field_order)

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]

    def hidden(self) -> list[tuple[str, str]]:
        """What was asked, for the form that confirms it."""
        return [(name, str(self.cleaned_data[name] or "")) for name in self.field_order]


class ResumeForm(_PartOfDayForm):
    """What takes place after all, on which days, and in which hours of them."""

    scope = forms.ChoiceField(label=_("恢复对象"))
    first = day_field(_("恢复从"))
    last = day_field(_("恢复到"))

    field_order = ("scope", "first", "last", "part", "starts", "ends")

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]
