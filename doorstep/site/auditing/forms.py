"""Forms of the auditor."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.web.inputs import DayInput


class TrailForm(forms.Form):
    """What the auditor looks for."""

    number = forms.CharField(label=_("居民身份证号（完整）"), max_length=30, required=False)
    text = forms.CharField(label=_("操作人或操作"), max_length=60, required=False)
    day = forms.DateField(
        label=_("日期"),
        required=False,
        widget=DayInput(),
        error_messages={"invalid": _("请按 年-月-日 填写。")},
    )

    def clean_number(self) -> Any:
        """Clean what a scanner typed."""
        return "".join(self.cleaned_data["number"].split()).upper()


class VerdictForm(forms.Form):
    """What the auditor found of an emergency look."""

    verdict = forms.ChoiceField(
        label=_("结论"),
        choices=[("justified", _("理由成立")), ("unjustified", _("理由不成立"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择结论。")},
    )
    judgement = forms.CharField(
        label=_("复核意见"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明复核依据，例如核对了哪次急诊。")},
    )
