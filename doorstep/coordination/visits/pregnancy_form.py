"""What every form asks of a pregnancy: a visit's, and a referral's, which is filled in from it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.visits.pregnancy import NURSING, PREGNANT, STATUSES
from doorstep.kernel.web.inputs import DayInput


class PregnancyFields(forms.Form):
    """The status, with the last period or the weeks where she is pregnant, and the day of the delivery where she nurses."""

    pregnancy = forms.ChoiceField(
        label=_("妊娠与哺乳"),
        choices=[("", _("未询问")), *((status, _(words)) for status, words in STATUSES.items())],
        required=False,
        widget=forms.RadioSelect,
    )
    last_period_on = forms.DateField(label=_("末次月经"), required=False, widget=DayInput())
    gestation_weeks = forms.IntegerField(
        label=_("孕周"),
        required=False,
        min_value=1,
        max_value=42,
        help_text=_("记不清末次月经时填写。"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    delivered_on = forms.DateField(label=_("分娩日期"), required=False, widget=DayInput())

    @staticmethod
    def date_pregnancy(data: dict[str, Any]) -> None:
        """Weeks become the first day of the last period; a date of what is not said any more is let go."""
        weeks = data.pop("gestation_weeks", None)
        if data.get("pregnancy") != PREGNANT:
            data["last_period_on"] = None
        elif weeks and not data.get("last_period_on"):
            data["last_period_on"] = timezone.localdate() - timedelta(weeks=weeks)
        if data.get("pregnancy") != NURSING:
            data["delivered_on"] = None
