"""Forms of the workforce."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.web.inputs import DayInput
from doorstep.people.workforce.titles import TITLES

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


class LeaveForm(forms.Form):
    """Who stands in, and when."""

    to_user_id = forms.TypedChoiceField(label=_("代理人"), coerce=int, error_messages={"required": _("请选择代理人。")})
    starts_on = _date(_("自"))
    ends_on = _date(_("至"))
    reason = forms.CharField(label=_("事由"), max_length=200, required=False)


class FactsForm(forms.Form):
    """Title, specialty, licence and phone."""

    title = forms.ChoiceField(
        label=_("职称"), choices=[("", "—"), *((name, _(name)) for name in TITLES)], required=False
    )
    specialty = forms.CharField(label=_("专业"), max_length=40, required=False)
    licence_number = forms.CharField(
        label=_("执业证书编码"),
        max_length=20,
        required=False,
        help_text=_("15 位；非执业人员留空。"),
        widget=forms.TextInput(attrs=_TYPED),
    )
    licence_scope = forms.CharField(label=_("执业范围"), max_length=40, required=False)
    phone = forms.CharField(
        label=_("电话"), max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    is_expert = forms.BooleanField(label=_("列为可预约的专家"), required=False)


class PostForm(forms.Form):
    """A role at a unit from a day on; roles and departments are those of the unit."""

    role = forms.ChoiceField(label=_("岗位"), error_messages={"required": _("请选择岗位。")})
    department = forms.TypedChoiceField(
        label=_("科室"), coerce=int, empty_value=None, required=False, help_text=_("没有分科的单位不必选择。")
    )
    starts_on = _date(_("上岗日"))
    ends_on = _date(_("最后一天"), required=False, help_text=_("长期岗位留空。"))

    def __init__(self, *args: Any, roles: list[tuple[str, str]], departments: list[tuple[int, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        role, department = self.fields["role"], self.fields["department"]
        role.choices = [("", "—"), *roles]  # type: ignore[attr-defined]
        department.choices = [("", "—"), *departments]  # type: ignore[attr-defined]
        self.fields["starts_on"].initial = timezone.localdate()


class PersonForm(forms.Form):
    """Who is hired, and the name of the account."""

    name = forms.CharField(label=_("姓名"), max_length=40)
    gender = forms.ChoiceField(
        label=_("性别"), choices=[("male", _("男")), ("female", _("女"))], widget=forms.RadioSelect
    )
    national_id = forms.RegexField(
        r"^\d{17}[\dXx]$",
        label=_("身份证号"),
        strip=True,
        help_text=_("用来避免一人两个账号；已在其他单位任职的，只增加岗位。"),
        widget=forms.TextInput(attrs=_TYPED),
        error_messages={"invalid": _("身份证号应为 18 位：前 17 位是数字，末位是数字或 X。请核对后重新填写或刷卡。")},
    )
    username = forms.RegexField(
        r"^[a-z][a-z0-9._-]{2,29}$",
        label=_("用户名"),
        help_text=_("登录时使用：小写字母开头，3 至 30 位字母、数字、点或横线。"),
        widget=forms.TextInput(attrs=_TYPED),
        error_messages={"invalid": _("请用小写字母开头，共 3 至 30 位字母、数字、点或横线。")},
    )


class EndForm(forms.Form):
    """The last day of a post, and why."""

    last_day = _date(_("最后一天"))
    reason = forms.CharField(
        label=_("离岗原因"),
        max_length=200,
        error_messages={"required": _("请写明离岗原因，例如“调离”“退休”。")},
    )


class LockForm(forms.Form):
    """Why an account is locked."""

    reason = forms.CharField(
        label=_("锁定原因"),
        max_length=200,
        error_messages={"required": _("请写明锁定原因，例如“离职”“账号异常”。")},
    )
