"""Forms of a visit."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.visits import rules
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
    """What was measured; all that is wrong is said at once, `asks` when a value only has to be confirmed."""

    asks = False

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

    def clean(self) -> dict[str, Any]:
        """Check what could be read, beside what could not."""
        cleaned: dict[str, Any] = super().clean() or {}
        measured: dict[str, Decimal] = {name: cleaned[name] for name in rules.SIGNS if cleaned.get(name) is not None}
        if not measured and self.errors:
            return cleaned
        faults = rules.faults_of(measured)
        wanting = dict(faults.impossible)
        self.asks = bool(faults.doubtful)
        if not cleaned.get("confirmed"):
            wanting |= faults.doubtful
        for name, sentence in wanting.items():
            # A field that cannot be read has its own sentence already.
            if name not in self.errors:
                self.add_error(name, sentence)
        return cleaned


class VoidForm(forms.Form):
    """Why the visit does not count."""

    reason = forms.CharField(
        label=_("作废原因"),
        max_length=400,
        error_messages={"required": _("请写明作废原因，例如“选错了居民”。")},
    )
