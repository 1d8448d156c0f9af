"""Forms of the workforce."""

from django import forms
from django.utils.translation import gettext_lazy as _

_DAY = {"invalid": _("请按 年-月-日 填写。"), "required": _("请选择日期。")}


class LeaveForm(forms.Form):
    """Who stands in, and when."""

    to_user_id = forms.TypedChoiceField(label=_("代理人"), coerce=int, error_messages={"required": _("请选择代理人。")})
    starts_on = forms.DateField(label=_("自"), widget=forms.DateInput(attrs={"type": "date"}), error_messages=_DAY)
    ends_on = forms.DateField(label=_("至"), widget=forms.DateInput(attrs={"type": "date"}), error_messages=_DAY)
    reason = forms.CharField(label=_("事由"), max_length=200, required=False)
