"""Forms of a visit."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.visits import pregnancy, rules
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.pregnancy_form import PregnancyFields

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


class VitalsForm(PregnancyFields):
    """What was measured and what was said of a pregnancy; all that is wrong is said at once, `asks` when a value only has to be confirmed.

    `expecting` says whether the patient is asked for a pregnancy at all.
    """

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

    def __init__(self, *args: Any, expecting: bool = False, **kwargs: Any) -> None:
        """Take whether the patient is asked for a pregnancy."""
        super().__init__(*args, **kwargs)
        self.expecting = expecting

    def measured(self) -> dict[str, Any]:
        """What was measured, by the names of `rules.SIGNS`, and whether odd values were checked; {} when nothing was."""
        found = {name: self.cleaned_data[name] for name in rules.SIGNS if self.cleaned_data.get(name) is not None}
        return {**found, "confirmed": self.cleaned_data["confirmed"]} if found else {}

    def said(self) -> dict[str, Any]:
        """What was said of a pregnancy: status, first day of the last period, day of the delivery; {} when nobody was asked."""
        data = self.cleaned_data
        if not data.get("pregnancy"):
            return {}
        return {"status": data["pregnancy"], "last_period": data["last_period_on"], "delivered": data["delivered_on"]}

    def _clean_pregnancy(self, cleaned: dict[str, Any]) -> None:
        self.date_pregnancy(cleaned)
        faults = pregnancy.faults_of(
            status=cleaned.get("pregnancy") or "",
            last_period=cleaned.get("last_period_on"),
            delivered=cleaned.get("delivered_on"),
            asked=self.expecting,
            day=timezone.localdate(),
        )
        for name, sentence in faults.items():
            if name not in self.errors:
                self.add_error(name, str(sentence))

    def clean(self) -> dict[str, Any]:
        """Check what could be read, beside what could not."""
        cleaned: dict[str, Any] = super().clean() or {}
        self._clean_pregnancy(cleaned)
        measured: dict[str, Decimal] = {name: cleaned[name] for name in rules.SIGNS if cleaned.get(name) is not None}
        if not measured and (self.errors or cleaned.get("pregnancy")):
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
