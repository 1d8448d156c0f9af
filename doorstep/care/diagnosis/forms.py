"""Forms of the ECG centre: shape only; what a report must hold is judged by the action."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.care.diagnosis.ecg.rules import CRITICAL_VALUES
from doorstep.care.diagnosis.ecg.templates import BY_CODE
from doorstep.care.diagnosis.models import CriticalValue, EcgOrder
from doorstep.care.diagnosis.report import BY_NAME, LONGEST_TEXT, Report, problems_of
from doorstep.coordination.recognition.rules import REASONS

_NOT_WHOLE = {"invalid": _("请只填整数，例如 72。")}


def _figure(label: object) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,  # type: ignore[arg-type]
        required=False,
        error_messages=_NOT_WHOLE,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": 6}),
    )


class OrderForm(forms.Form):
    """What the reader must know."""

    indication = forms.CharField(
        label=_("申请理由"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明症状或检查目的，判读医师会据此阅图。")},
    )
    urgent = forms.BooleanField(label=_("加急（胸痛、晕厥、气促等）"), required=False)
    # Asked when a result stands (国卫医发〔2022〕6号): the action knows whether one does.
    repeat_reason = forms.ChoiceField(
        label=_("重复检查的理由"),
        choices=[("", "—"), *((code, _(label)) for code, label in REASONS.items())],
        required=False,
    )
    repeat_words = forms.CharField(
        label=_("补充说明"), max_length=200, required=False, help_text=_("选择“结果质量不符合要求”或“其他”时必填。")
    )


class RecordingForm(forms.Form):
    """The cart's file."""

    recording = forms.FileField(
        label=_("心电文件"),
        help_text=_("心电图机导出的 DICOM 波形（.dcm）或 HL7 aECG（.xml），不超过 20 MB"),
        allow_empty_file=True,
        error_messages={"required": _("请选择心电图机导出的文件。")},
    )
    confirm_missing_identity = forms.BooleanField(label=_("已核对，确认是这位居民本人的心电图"), required=False)
    confirm_time = forms.BooleanField(label=_("已核对采集时间，仍要上传"), required=False)


class ReportForm(forms.Form):
    """A report: figures, picked phrases, two texts, a critical value."""

    heart_rate = _figure(_("心室率"))
    pr_ms = _figure(_("PR 间期"))
    qrs_ms = _figure(_("QRS 时限"))
    qt_ms = _figure(_("QT 间期"))
    qtc_ms = _figure(_("QTc"))
    axis_degrees = _figure(_("QRS 电轴"))
    measurements_confirmed = forms.BooleanField(label=_("测量值已核对"), required=False)
    findings = forms.CharField(required=False, max_length=LONGEST_TEXT, widget=forms.HiddenInput())
    findings_text = forms.CharField(
        label=_("心电所见"), required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )
    conclusion_text = forms.CharField(
        label=_("诊断结论"), required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
    critical_code = forms.ChoiceField(
        label=_("危急值"),
        required=False,
        choices=[("", _("无")), *((value.code, value.zh) for value in CRITICAL_VALUES)],
        error_messages={"invalid_choice": _("没有这个危急值项目，请从列表中选择。")},
    )

    def report(self) -> Report:
        """The report as far as the form could be read; phrases that nobody knows are left out."""
        given = self.cleaned_data
        return Report(
            findings=tuple(dict.fromkeys(code for code in given.get("findings", "").split(",") if code in BY_CODE)),
            findings_text=given.get("findings_text", ""),
            conclusion_text=given.get("conclusion_text", ""),
            measurements={name: given[name] for name in BY_NAME if given.get(name) is not None},
            critical_code=given.get("critical_code", ""),
        )

    def say_all(self, *, confirmed: bool) -> None:
        """Beside what could not be read, say what else keeps the report from being signed: nobody is sent back twice."""
        for name, sentence in problems_of(self.report(), confirmed=confirmed).items():
            if name not in self.errors:
                self.add_error(name, sentence)

    @staticmethod
    def start(order: EcgOrder, suggestions: dict[str, int]) -> dict[str, Any]:
        """What the form shows first: the draft, or the machine's figures to be confirmed."""
        return {
            **(dict(order.measurements) or suggestions),
            "findings": ",".join(order.findings),
            "findings_text": order.findings_text,
            "conclusion_text": order.conclusion_text,
            "critical_code": order.critical_code,
        }


class ReasonForm(forms.Form):
    """Why something is sent back, taken back or changed."""

    reason = forms.CharField(
        label=_("原因"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("此操作需要写明原因，对方会看到。")},
    )


class CloseForm(forms.Form):
    """What was done about a critical value."""

    action = forms.ChoiceField(
        label=_("处置方式"),
        choices=CriticalValue.Action.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请从列表中选择一项处置方式。")},
    )
    note = forms.CharField(
        label=_("处置情况"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("就地处置、联系不上患者时必填：做了什么、联系了谁、几点。"),
    )

    @staticmethod
    def referred(note: str) -> dict[str, Any]:
        """What the register says when a referral went out: `note` names it; empty without one."""
        return {"action": CriticalValue.Action.REFERRED.value, "note": note} if note else {}
