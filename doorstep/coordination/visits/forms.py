"""Forms of a visit."""

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.visits.models import Visit

_NOT_A_NUMBER = {"invalid": _("请只填数字，例如 36.5。")}


def _figure(label: object, places: int = 0) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,  # type: ignore[arg-type]
        required=False,
        max_digits=6,
        decimal_places=places,
        error_messages={
            **_NOT_A_NUMBER,
            "max_decimal_places": _("小数位太多，请按仪器显示填写。"),
            "max_digits": _("数字太长，请核对。"),
            "max_whole_digits": _("数字太长，请核对。"),
        },
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class OpenForm(forms.Form):
    """How a visit begins."""

    complaint = forms.CharField(
        label=_("主诉"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(
        label=_("方式"), choices=Visit.Kind.choices, initial=Visit.Kind.OUTPATIENT, widget=forms.RadioSelect
    )


class VitalsForm(forms.Form):
    """What was measured; bounds are checked by the action."""

    systolic = _figure(_("收缩压"))
    diastolic = _figure(_("舒张压"))
    heart_rate = _figure(_("心率"))
    respiration = _figure(_("呼吸"))
    temperature = _figure(_("体温"), 1)
    oxygen = _figure(_("血氧饱和度"))
    glucose = _figure(_("血糖"), 1)
    weight = _figure(_("体重"), 1)
    height = _figure(_("身高"), 1)
    confirmed = forms.BooleanField(label=_("数值已核对"), required=False)


class VoidForm(forms.Form):
    """Why the visit does not count."""

    reason = forms.CharField(
        label=_("作废原因"),
        max_length=400,
        error_messages={"required": _("请写明作废原因，例如“选错了居民”。")},
    )
