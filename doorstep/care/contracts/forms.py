"""Forms of contracts: hospitals and teams are chosen by name."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.rules import PACKAGES, TERMS
from doorstep.kernel.web.inputs import DayInput

Choices = list[tuple[int, str]]


class TermsForm(forms.Form):
    """What is agreed."""

    team = forms.TypedChoiceField(label=_("家庭医生团队"), coerce=int)
    secondary_hospital = forms.TypedChoiceField(label=_("二级医院"), coerce=int, required=False, empty_value=None)
    tertiary_hospital = forms.TypedChoiceField(label=_("三级医院"), coerce=int, required=False, empty_value=None)
    starts_on = forms.DateField(label=_("生效日期"), widget=DayInput())
    term_years = forms.TypedChoiceField(
        label=_("签约周期"),
        coerce=int,
        choices=[(years, format_lazy(_("{years} 年"), years=years)) for years in TERMS],
        initial=1,
        widget=forms.RadioSelect,
    )
    package_code = forms.ChoiceField(
        label=_("服务包"),
        choices=[
            (package.code, format_lazy(_("{name} · {yuan} 元/年"), name=_(package.zh), yuan=package.total))
            for package in PACKAGES.values()
        ],
        initial="basic",
    )
    sign_mode = forms.ChoiceField(label=_("签约方式"), choices=Contract.SignMode.choices, initial="person")

    def __init__(self, *args: Any, teams: Choices, secondary: Choices, tertiary: Choices, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("starts_on", timezone.localdate())
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("team", teams),
            ("secondary_hospital", [("", _("暂不选择")), *secondary]),
            ("tertiary_hospital", [("", _("暂不选择")), *tertiary]),
        ):
            self.fields[name].choices = choices  # type: ignore[attr-defined]


class SignForm(forms.Form):
    """Who signs, and the consent."""

    signer_name = forms.CharField(label=_("签字人"), max_length=60)
    signer_relation = forms.ChoiceField(
        label=_("与居民关系"),
        choices=[
            ("", _("本人")),
            ("spouse", _("配偶")),
            ("child", _("子女")),
            ("parent", _("父母")),
            ("other", _("其他监护人")),
        ],
        required=False,
    )
    consents_to_record = forms.BooleanField(
        label=_("居民同意家庭医生团队查看其健康档案"),
        error_messages={"required": _("签约服务需要查看健康档案，请向居民说明并征得同意。")},
    )


class TerminateForm(forms.Form):
    """Why a contract ends early."""

    ending = forms.ChoiceField(label=_("解约原因"), choices=Contract.Ending.choices)
    reason = forms.CharField(label=_("说明"), max_length=400)
