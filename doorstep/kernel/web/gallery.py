"""Sample data of the gallery page; every name is invented."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label=_("姓名"), help_text=_("与身份证一致"), max_length=20)
    systolic = forms.IntegerField(label=_("收缩压"), min_value=60, max_value=260)
    measured_on = forms.DateField(label=_("测量日期"), widget=forms.DateInput(attrs={"type": "date"}))
    village = forms.ChoiceField(label=_("所在村"), choices=[("", _("请选择")), ("1", _("枫溪村")), ("2", _("石桥村"))])
    position = forms.ChoiceField(
        label=_("体位"), choices=[("sit", _("坐位")), ("lie", _("卧位"))], widget=forms.RadioSelect
    )
    symptoms = forms.MultipleChoiceField(
        label=_("症状"),
        choices=[("chest", _("胸痛")), ("short", _("气短")), ("palpitation", _("心悸"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label=_("备注"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    recording = forms.FileField(
        label=_("心电文件"), help_text=_("DICOM 波形（.dcm）或 HL7 aECG（.xml），不超过 25 MB"), required=False
    )
    consent = forms.BooleanField(label=_("居民已知情同意"))


def gallery_context(now: datetime | None = None) -> dict[str, Any]:
    """Return what web/gallery.html shows."""
    moment = now or timezone.now()
    wrong = SampleForm({"name": "", "systolic": "999", "position": "sit"})
    wrong.is_valid()
    return {
        "now": moment,
        "minute": timedelta(minutes=1),
        "empty_form": SampleForm(initial={"position": "sit", "systolic": 132}),
        "wrong_form": wrong,
        "birth_date": date(1963, 4, 12),
        "long_ago": datetime(2025, 3, 1, 1, 30, tzinfo=UTC),
        "icon_groups": ("heartbeat", "stethoscope", "ambulance", "home-heart", "report-medical", "users-group"),
    }
