"""Forms of organisations."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.web.inputs import DayInput
from doorstep.people.organizations.models import Membership, Organization
from doorstep.people.organizations.rules import LEVELS

_DAY = {"invalid": _("请按 年-月-日 填写。"), "required": _("请选择日期。")}
_TYPED = {"autocomplete": "off", "spellcheck": "false"}


def _date(label: object, *, required: bool = True, help_text: object = "") -> forms.DateField:
    return forms.DateField(
        label=label,  # type: ignore[arg-type]
        required=required,
        help_text=help_text,  # type: ignore[arg-type]
        widget=DayInput(),
        error_messages=_DAY,
    )


def _degrees(label: object, help_text: object) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,  # type: ignore[arg-type]
        help_text=help_text,  # type: ignore[arg-type]
        required=False,
        max_digits=9,
        decimal_places=6,
        widget=forms.TextInput(attrs={**_TYPED, "inputmode": "decimal"}),
        error_messages={
            "invalid": _("请填十进制度数，例如 23.129163。"),
            "max_decimal_places": _("最多 6 位小数。"),
            "max_digits": _("数字太长，请核对。"),
            "max_whole_digits": _("数字太长，请核对。"),
        },
    )


class UnitForm(forms.Form):
    """What a unit is and where it stands in the tree."""

    parent = forms.TypedChoiceField(label=_("上级单位"), coerce=int, empty_value=None, required=False)
    name = forms.CharField(label=_("单位名称"), max_length=120)
    name_en = forms.CharField(label=_("英文名称"), max_length=160, required=False)
    code = forms.CharField(label=_("机构代码"), max_length=30, widget=forms.TextInput(attrs=_TYPED))
    kind = forms.ChoiceField(label=_("类别"), choices=[("", "—"), *Organization.Kind.choices])
    level = forms.ChoiceField(
        label=_("等级"), choices=[("", "—"), *((name, _(name)) for name in LEVELS)], required=False
    )
    credit_code = forms.CharField(
        label=_("统一社会信用代码"), max_length=18, required=False, widget=forms.TextInput(attrs=_TYPED)
    )
    division_code = forms.CharField(
        label=_("行政区划代码"), max_length=12, required=False, widget=forms.TextInput(attrs=_TYPED)
    )
    address = forms.CharField(label=_("地址"), max_length=200, required=False)
    phone = forms.CharField(label=_("电话"), max_length=30, required=False)
    latitude = _degrees(_("纬度"), _("十进制度数，例如 23.129163。"))
    longitude = _degrees(_("经度"), _("十进制度数，例如 113.264385。"))
    opened_on = _date(_("开办日"), required=False)
    reason = forms.CharField(label=_("变更原因"), max_length=200, required=False, help_text=_("会写入变更记录。"))

    def __init__(self, *args: Any, parents: list[tuple[int, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = [("", "—"), *parents]  # type: ignore[attr-defined]


class CloseForm(forms.Form):
    """The day on which a unit closes, and why."""

    closed_on = _date(_("停办日"))
    reason = forms.CharField(
        label=_("停办原因"),
        max_length=200,
        error_messages={"required": _("请写明停办原因，例如“合并”“撤销”。")},
    )


class JoinForm(forms.Form):
    """Which consortium a unit joins, as what, from when."""

    consortium = forms.TypedChoiceField(label=_("医共体"), coerce=int, error_messages={"required": _("请选择医共体。")})
    part = forms.ChoiceField(label=_("身份"), choices=Membership.Part.choices, initial=Membership.Part.MEMBER)
    starts_on = _date(_("加入日"))

    def __init__(self, *args: Any, consortia: list[tuple[int, str]], may_lead: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["consortium"].choices = consortia  # type: ignore[attr-defined]
        self.fields["starts_on"].initial = timezone.localdate()
        if not may_lead:
            members = [(code, label) for code, label in Membership.Part.choices if code != Membership.Part.LEAD]
            self.fields["part"].choices = members  # type: ignore[attr-defined]


class LeaveForm(forms.Form):
    """The last day of a membership, and why."""

    last_day = _date(_("最后一天"))
    reason = forms.CharField(label=_("退出原因"), max_length=200, error_messages={"required": _("请写明退出原因。")})


class DepartmentForm(forms.Form):
    """A new department."""

    name = forms.CharField(label=_("科室名称"), max_length=80)
    code = forms.CharField(label=_("科室代码"), max_length=30, widget=forms.TextInput(attrs=_TYPED))
    name_en = forms.CharField(label=_("英文名称"), max_length=120, required=False)


class ConsortiumForm(forms.Form):
    """A new consortium."""

    name = forms.CharField(label=_("医共体名称"), max_length=120)
    code = forms.CharField(label=_("医共体代码"), max_length=30, widget=forms.TextInput(attrs=_TYPED))
