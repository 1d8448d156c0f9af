"""Shape and field checks of the forms of referrals."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import rules, texts
from doorstep.care.referrals.models import FollowUp, Referral

_AREA = {"rows": 3}


class ReferralForm(forms.Form):
    """The 转出单: all of it is filled in from the record; the doctor changes little."""

    kind = forms.ChoiceField(label=_("转诊类型"), choices=Referral.Kind.choices, widget=forms.RadioSelect)
    critical = forms.BooleanField(label=_("危急值或病情危重"), required=False)
    target_id = forms.TypedChoiceField(label=_("转入机构"), coerce=int, empty_value=None)
    reviewer_id = forms.TypedChoiceField(
        label=_("审核医师"), coerce=int, empty_value=None, help_text=_("每份转诊都由一名具名医师审核负责。")
    )
    impression = forms.CharField(label=_("初步印象"), max_length=200)
    impression_code = forms.CharField(label=_("ICD-10 编码"), max_length=16, required=False)
    symptoms = forms.MultipleChoiceField(
        label=_("症状"), choices=list(rules.SYMPTOMS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    present_illness = forms.CharField(label=_("主要现病史（转出原因）"), widget=forms.Textarea(_AREA))
    history = forms.CharField(label=_("主要既往史"), widget=forms.Textarea({"rows": 2}), required=False)
    treatment = forms.CharField(label=_("治疗经过"), widget=forms.Textarea({"rows": 2}), required=False)
    referrer_phone = forms.CharField(label=_("转诊医师电话"), max_length=30, required=False)
    bed_requested = forms.BooleanField(label=_("申请床位（不选号，由转诊中心安排）"), required=False)
    consent_signer = forms.CharField(label=_("知情同意签署人"), max_length=60, required=False)
    consent_relation = forms.ChoiceField(
        label=_("与患者关系"), choices=list(texts.RELATIONS.items()), required=False, initial="self"
    )
    consent_signature = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, targets: list[tuple[int, str]], reviewers: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        """Take the choices of target and reviewer."""
        super().__init__(*args, **kwargs)
        for name, choices in (("target_id", targets), ("reviewer_id", reviewers)):
            field = self.fields[name]
            if isinstance(field, forms.TypedChoiceField):
                field.choices = [(str(value), label) for value, label in choices]

    def revision(self) -> dict[str, Any]:
        """The fields of the referral itself, without the consent."""
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith("consent_")}


class AdmitForm(forms.Form):
    """Where the patient lies."""

    ward = forms.CharField(label=_("病区"), max_length=60)
    bed = forms.CharField(label=_("床号"), max_length=20, required=False)
    inpatient_number = forms.CharField(label=_("住院病案号"), max_length=30, required=False)


class DischargeForm(forms.Form):
    """The discharge summary and the plan; medicine rows are read apart."""

    diagnosis = forms.CharField(label=_("出院诊断"), max_length=200)
    diagnosis_code = forms.CharField(label=_("ICD-10 编码"), max_length=16, required=False)
    findings = forms.CharField(label=_("主要检查结果"), widget=forms.Textarea({"rows": 2}), required=False)
    summary = forms.CharField(label=_("治疗经过"), widget=forms.Textarea(_AREA))
    outcome = forms.ChoiceField(
        label=_("转归"), choices=[("好转", _("好转")), ("治愈", _("治愈")), ("未愈", _("未愈")), ("其他", _("其他"))]
    )
    follow_up_days = forms.MultipleChoiceField(
        label=_("随访日（出院后第几天）"),
        choices=[(str(day), str(day)) for day in (3, 7, 14, 30, 60, 90)],
        widget=forms.CheckboxSelectMultiple,
    )
    warning_signs = forms.MultipleChoiceField(
        label=_("警示症状（出现时立即就医）"),
        choices=[(text, text) for text in texts.WARNING_SIGNS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    rehabilitation = forms.CharField(label=_("康复建议"), widget=forms.Textarea({"rows": 2}), required=False)
    diet = forms.CharField(label=_("饮食与生活方式"), widget=forms.Textarea({"rows": 2}), required=False)
    target_systolic = forms.IntegerField(label=_("目标收缩压"), min_value=90, max_value=180, required=False)
    target_diastolic = forms.IntegerField(label=_("目标舒张压"), min_value=50, max_value=110, required=False)
    contact_name = forms.CharField(label=_("出院后由谁答疑"), max_length=40)
    contact_phone = forms.CharField(label=_("答疑电话"), max_length=30)


class FollowUpForm(forms.Form):
    """What a follow-up found."""

    way = forms.ChoiceField(
        label=_("随访方式"), choices=list(texts.WAYS.items()), widget=forms.RadioSelect, initial="clinic"
    )
    systolic = forms.IntegerField(label=_("收缩压"), required=False)
    diastolic = forms.IntegerField(label=_("舒张压"), required=False)
    pulse = forms.IntegerField(label=_("脉搏"), required=False)
    symptoms = forms.MultipleChoiceField(
        label=_("症状"),
        choices=list(texts.FOLLOW_UP_SYMPTOMS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    adherence = forms.ChoiceField(label=_("服药情况"), choices=FollowUp.Adherence.choices, widget=forms.RadioSelect)
    adverse_reaction = forms.CharField(label=_("药物不良反应"), max_length=200, required=False)
    advice = forms.CharField(label=_("处理意见"), max_length=400, required=False, widget=forms.Textarea({"rows": 2}))
    worse = forms.BooleanField(label=_("病情变化，需要再次转诊"), required=False)


class RescheduleForm(forms.Form):
    """Another day for a follow-up."""

    due_on = forms.DateField(label=_("改到"), widget=forms.DateInput({"type": "date"}))
    reason = forms.CharField(label=_("原因"), max_length=200)


def medicine_rows(data: Any) -> list[dict[str, str]]:
    """The medicine rows of a posted form: parallel lists, lines without a name are left out."""
    columns = {name: data.getlist(f"medicine_{name}") for name in ("name", "dose", "frequency", "days", "note")}
    rows = []
    for index, name in enumerate(columns["name"]):
        if name.strip():
            row = {key: (values[index] if index < len(values) else "").strip() for key, values in columns.items()}
            rows.append(row)
    return rows


def add_refusal(form: forms.Form, fields: dict[str, object], names: dict[str, str]) -> None:
    """Put the sentences of a refusal beside their fields; `names` maps an action's field to a form's."""
    for name, sentence in fields.items():
        target = names.get(name, name)
        form.add_error(target if target in form.fields else None, str(sentence))
