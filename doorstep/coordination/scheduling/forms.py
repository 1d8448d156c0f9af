"""Forms of schedules: shape only; what clashes is found by the actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.models import PlaceQuota, Schedule

WEEKDAYS = [
    (0, _("周一")),
    (1, _("周二")),
    (2, _("周三")),
    (3, _("周四")),
    (4, _("周五")),
    (5, _("周六")),
    (6, _("周日")),
]
_DATE = {"type": "date"}
_TIME = {"type": "time"}


class ScheduleForm(forms.Form):
    """A new schedule of a department, with an expert or without."""

    department = forms.TypedChoiceField(label=_("科室"), coerce=int)
    practitioner = forms.TypedChoiceField(label=_("专家"), coerce=int, required=False, empty_value=None)
    service = forms.ChoiceField(label=_("服务"), choices=Schedule.Service.choices)

    def __init__(
        self, *args: Any, departments: list[tuple[int, str]], practitioners: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        department, practitioner = self.fields["department"], self.fields["practitioner"]
        department.choices = departments  # type: ignore[attr-defined]
        practitioner.choices = [("", _("不指定（科室号）")), *practitioners]  # type: ignore[attr-defined]


class SessionForm(forms.Form):
    """A weekly session and how many places of each slot go to whom."""

    weekday = forms.TypedChoiceField(label=_("星期"), choices=WEEKDAYS, coerce=int)
    starts = forms.TimeField(label=_("开始"), widget=forms.TimeInput(attrs=_TIME), initial="08:30")
    ends = forms.TimeField(label=_("结束"), widget=forms.TimeInput(attrs=_TIME), initial="11:30")
    minutes = forms.IntegerField(label=_("每段时长"), min_value=5, max_value=480, initial=30)
    referral = forms.IntegerField(label=_("转诊号"), min_value=0, max_value=99, initial=1)
    contract = forms.IntegerField(label=_("签约号"), min_value=0, max_value=99, initial=1)
    community = forms.IntegerField(label=_("社区号"), min_value=0, max_value=99, initial=0)
    own = forms.IntegerField(label=_("本院号"), min_value=0, max_value=99, initial=2)
    open = forms.IntegerField(label=_("公开号"), min_value=0, max_value=99, initial=0)

    def clean(self) -> dict[str, Any]:
        """The end comes after the start, with room for one slot."""
        facts = super().clean() or {}
        starts, ends = facts.get("starts"), facts.get("ends")
        if starts and ends and ends <= starts:
            self.add_error("ends", _("结束时间须晚于开始时间。"))
        return facts

    def places(self) -> dict[str, int]:
        """Places by quota."""
        return {quota.value: int(self.cleaned_data[quota.value]) for quota in PlaceQuota}


class RangeForm(forms.Form):
    """The days for which slots are laid out."""

    first = forms.DateField(label=_("从"), widget=forms.DateInput(format="%Y-%m-%d", attrs=_DATE))
    last = forms.DateField(label=_("到"), widget=forms.DateInput(format="%Y-%m-%d", attrs=_DATE))


class StopForm(forms.Form):
    """The days for which a clinic stops, and why."""

    first = forms.DateField(label=_("停诊从"), widget=forms.DateInput(format="%Y-%m-%d", attrs=_DATE))
    last = forms.DateField(label=_("停诊到"), widget=forms.DateInput(format="%Y-%m-%d", attrs=_DATE))
    reason = forms.CharField(label=_("停诊原因"), max_length=200, help_text=_("会告知已预约的居民和转出机构。"))
