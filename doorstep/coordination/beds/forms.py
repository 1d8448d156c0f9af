"""Forms of the bed board."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.beds.models import Ward
from doorstep.kernel.web.inputs import DayInput


class WardForm(forms.Form):
    """A new ward: bed numbers as people write them, "1-12" or "1,2,3"."""

    name = forms.CharField(label=_("病区名称"), max_length=60)
    kind = forms.ChoiceField(label=_("病区类型"), choices=Ward.Kind.choices)
    numbers = forms.CharField(label=_("床号"), max_length=200, help_text=_("例如 1-12，或 1、2、加1。"))

    def clean_numbers(self) -> list[str]:
        """The single numbers; a range of more than 200 is a slip."""
        found: list[str] = []
        for part in self.cleaned_data["numbers"].replace("、", ",").replace("，", ",").split(","):
            first, dash, last = (text.strip() for text in part.partition("-"))
            if dash and first.isdecimal() and last.isdecimal():
                if not 0 <= int(last) - int(first) <= 200:
                    raise forms.ValidationError(_("床号范围不对，请写成从小到大且不超过 200 张。"))
                found += [str(number) for number in range(int(first), int(last) + 1)]
            elif first:
                found.append(part.strip())
        return found


class RoundForm(forms.Form):
    """What the ward's doctor says of a patient today; an empty answer stays unknown."""

    predicted_on = forms.DateField(label=_("预计出院日"), required=False, widget=DayInput())
    systolic = forms.IntegerField(label=_("今日收缩压"), required=False, min_value=50, max_value=280)
    diastolic = forms.IntegerField(label=_("今日舒张压"), required=False, min_value=30, max_value=180)
    pulse = forms.IntegerField(label=_("今日脉搏"), required=False, min_value=20, max_value=250)
    spo2 = forms.IntegerField(label=_("今日血氧饱和度"), required=False, min_value=50, max_value=100)
    complications_stable = forms.NullBooleanField(label=_("并发症、合并症稳定"), required=False)
    oxygen_free = forms.NullBooleanField(label=_("不需吸氧"), required=False)
    deficit_stable = forms.NullBooleanField(label=_("神经功能缺损稳定"), required=False)
    wound_clean = forms.NullBooleanField(label=_("伤口清洁"), required=False)
    tcm_plan_fixed = forms.NullBooleanField(label=_("中医方案已确定（有中医治疗者）"), required=False)
    needs_care = forms.NullBooleanField(label=_("生活不能自理，需长期照护"), required=False)
    needs_bed = forms.NullBooleanField(label=_("仍需住院治疗或护理"), required=False)
    housebound = forms.NullBooleanField(label=_("行动不便，不能到门诊"), required=False)
    chest_pain_free_days = forms.IntegerField(label=_("连续无胸痛天数"), required=False, min_value=0, max_value=90)
    no_fever_days = forms.IntegerField(label=_("连续不发热天数"), required=False, min_value=0, max_value=90)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Three plain answers in place of Django's own words."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.NullBooleanField):
                field.widget = forms.Select(choices=[("", _("未说明")), ("true", _("是")), ("false", _("否"))])

    def said(self) -> dict[str, Any]:
        """The answers that were given."""
        return {
            name: value for name, value in self.cleaned_data.items() if name != "predicted_on" and value is not None
        }
