"""Sample data of the gallery page; every name is invented. Samples are not translated: they stand for other texts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from doorstep.kernel.web.inputs import DayInput


class SampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label="姓名", help_text="与身份证一致", max_length=20)
    systolic = forms.IntegerField(label="收缩压", min_value=60, max_value=260)
    measured_on = forms.DateField(label="测量日期", widget=DayInput())
    village = forms.ChoiceField(label="所在村", choices=[("", "请选择"), ("1", "枫溪村"), ("2", "石桥村")])
    position = forms.ChoiceField(label="体位", choices=[("sit", "坐位"), ("lie", "卧位")], widget=forms.RadioSelect)
    symptoms = forms.MultipleChoiceField(
        label="症状",
        choices=[("chest", "胸痛"), ("short", "气短"), ("palpitation", "心悸")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label="备注", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    recording = forms.FileField(
        label="心电文件", help_text="DICOM 波形（.dcm）或 HL7 aECG（.xml），不超过 25 MB", required=False
    )
    consent = forms.BooleanField(label="居民已知情同意")


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
