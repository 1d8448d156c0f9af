"""Shape and field checks of the forms of referrals."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import contact, down_aims, down_rules, rules, texts
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.coordination.visits.pregnancy_form import PregnancyFields
from doorstep.kernel.web.inputs import DayInput, SharedFields

_AREA = {"rows": 3}


def _words(table: dict[str, str]) -> list[tuple[str, Any]]:
    """The choices of a table of words, each in the reader's language."""
    return [(code, _(text)) for code, text in table.items()]


class ReferralForm(PregnancyFields):
    """The 转出单: all of it is filled in from the record; the doctor changes little."""

    direction = forms.ChoiceField(
        label=_("转诊方向"),
        choices=[(one.value, one.label) for one in Referral.Direction if one.value in ("up", "side")],
        widget=forms.RadioSelect,
        required=False,
    )
    kind = forms.ChoiceField(label=_("转诊类型"), choices=Referral.Kind.choices, widget=forms.RadioSelect)
    green_center = forms.ChoiceField(label=_("救治中心"), choices=Referral.GreenCenter.choices, required=False)
    aim = forms.ChoiceField(
        label=_("转往"),
        # Home is where a hospital sends a patient; nobody is referred up to it.
        choices=[(code, label) for code, label in Referral.Aim.choices if code != Referral.Aim.HOME],
        required=False,
    )
    critical = forms.BooleanField(label=_("危急值或病情危重"), required=False)
    target_id = forms.TypedChoiceField(label=_("转入机构"), coerce=int, empty_value=None)
    department_id = forms.TypedChoiceField(label=_("转入科室"), coerce=int, empty_value=None, required=False)
    expert_id = forms.TypedChoiceField(label=_("指定专家"), coerce=int, empty_value=None, required=False)
    reviewer_id = forms.TypedChoiceField(
        label=_("审核医师"), coerce=int, empty_value=None, help_text=_("每份转诊都由一名具名医师审核负责。")
    )
    impression = forms.CharField(label=_("初步印象"), max_length=200)
    impression_code = forms.CharField(label=_("ICD-10 编码"), max_length=16, required=False)
    symptoms = forms.MultipleChoiceField(
        label=_("症状"), choices=_words(rules.SYMPTOMS), required=False, widget=forms.CheckboxSelectMultiple
    )
    present_illness = forms.CharField(label=_("主要现病史（转出原因）"), widget=forms.Textarea(_AREA))
    history = forms.CharField(label=_("主要既往史"), widget=forms.Textarea({"rows": 2}), required=False)
    treatment = forms.CharField(label=_("治疗经过"), widget=forms.Textarea({"rows": 2}), required=False)
    referrer_phone = forms.CharField(label=_("转诊医师电话"), max_length=30, required=False)
    patient_phone = forms.RegexField(
        label=_("患者联系电话"),
        regex=contact.PHONE,
        max_length=30,
        required=False,
        error_messages={"invalid": _("联系电话应为手机号码，或带区号的座机号码。")},
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    record_number = forms.RegexField(
        label=_("档案编号"),
        regex=contact.NUMBER,
        max_length=24,
        required=False,
        error_messages={"invalid": _("档案编号由数字、字母和短横线组成，不超过 24 位。")},
    )
    patient_address = forms.CharField(label=_("家庭住址"), max_length=200, required=False)
    bed_requested = forms.BooleanField(label=_("申请床位（不选号，由转诊中心安排）"), required=False)
    consent_signer = forms.CharField(label=_("知情同意签署人"), max_length=60, required=False)
    consent_relation = forms.ChoiceField(
        label=_("与患者关系"), choices=_words(texts.RELATIONS), required=False, initial="self"
    )
    consent_signature = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)
    consent_paper = forms.FileField(
        label=_("上传已签署的知情同意书"), required=False, help_text=_("照片或 PDF；与手写签名二选一。")
    )

    def __init__(self, *args: Any, choices: dict[str, list[tuple[int, str]]], **kwargs: Any) -> None:
        """Take the choices of target, reviewer, department and expert by the name of their field."""
        # In front of the class's own, which the form would copy whole.
        vars(self)["base_fields"] = SharedFields(type(self).base_fields, changed=choices)
        super().__init__(*args, **kwargs)
        self.let_choose(choices)

    def let_choose(self, choices: dict[str, list[tuple[int, str]]]) -> None:
        """Set what target, reviewer, department and expert may be; a form that comes back shows all, one that is sent checks its own."""
        for name, rows in choices.items():
            field = self.fields[name]
            if isinstance(field, forms.TypedChoiceField):
                empty = [] if field.required else [("", "—")]
                field.choices = [*empty, *((str(value), label) for value, label in rows)]

    def clean(self) -> dict[str, Any]:
        """What an older page did not ask takes its usual value; a department or expert of another unit is let go."""
        data = super().clean() or self.cleaned_data
        data["direction"] = data.get("direction") or Referral.Direction.UP
        data["aim"] = data.get("aim") or Referral.Aim.DEPARTMENT
        if data["aim"] == Referral.Aim.BED:
            data["bed_requested"] = True
        self.date_pregnancy(data)
        for name in ("department_id", "expert_id"):
            if name in self.errors:
                del self.errors[name]
                data[name] = None
        return data

    def revision(self) -> dict[str, Any]:
        """The fields of the referral itself, without the consent; what an older page did not ask of the person stays as it is."""
        unasked = {name for name in contact.FIELDS if name not in self.data}
        if "pregnancy" not in self.data:
            unasked |= {"pregnancy", "last_period_on", "delivered_on"}
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if not name.startswith("consent_") and name not in unasked
        }


class AdmitForm(forms.Form):
    """Where the patient lies."""

    bed_key = forms.ChoiceField(label=_("床位"), required=False)
    ward = forms.CharField(label=_("病区"), max_length=60, required=False, help_text=_("没有床位看板时填写。"))
    bed = forms.CharField(label=_("床号"), max_length=20, required=False)
    inpatient_number = forms.CharField(label=_("住院病案号"), max_length=30, required=False)

    def __init__(self, *args: Any, beds: list[tuple[str, str]], **kwargs: Any) -> None:
        """Take the free beds."""
        super().__init__(*args, **kwargs)
        field = self.fields["bed_key"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "—"), *beds]


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
        choices=_words({text: text for text in texts.signs_for(())}),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    rehabilitation = forms.CharField(label=_("康复建议"), widget=forms.Textarea({"rows": 2}), required=False)
    diet = forms.CharField(label=_("饮食与生活方式"), widget=forms.Textarea({"rows": 2}), required=False)
    target_systolic = forms.IntegerField(label=_("目标收缩压"), min_value=90, max_value=180, required=False)
    target_diastolic = forms.IntegerField(label=_("目标舒张压"), min_value=50, max_value=110, required=False)
    contact_name = forms.CharField(label=_("出院后由谁答疑"), max_length=40)
    contact_phone = forms.CharField(label=_("答疑电话"), max_length=30)
    owed = forms.DecimalField(
        label=_("先诊疗后付费欠款（元）"),
        required=False,
        max_digits=10,
        decimal_places=2,
        help_text=_("已结清请留空。"),
    )
    aim = forms.ChoiceField(label=_("患者去向"), choices=_words(down_aims.TEXTS), required=False)
    receiver = forms.TypedChoiceField(label=_("承接机构"), coerce=int, empty_value=None, required=False)
    consent_signer = forms.CharField(label=_("知情同意签署人"), max_length=60, required=False)
    consent_relation = forms.ChoiceField(label=_("与患者关系"), choices=_words(texts.RELATIONS), required=False)

    def order_signs(self, first: Sequence[str]) -> None:
        """Put the warning signs that the plan begins with on top of the others."""
        field = self.fields["warning_signs"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = _words({text: text for text in texts.signs_for(first)})


class ServiceForm(forms.Form):
    """What a unit can do for patients who come back."""

    accepts = forms.BooleanField(label=_("承接下转患者"), required=False)
    skills = forms.MultipleChoiceField(
        label=_("可提供的服务"),
        choices=_words(down_rules.SKILLS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class StockForm(forms.Form):
    """A count of the shelf."""

    file = forms.FileField(
        label=_("药品库存表（Excel）"),
        help_text=_("列：药品编码、药品名称、库存数量、单位；上传后替换本院原有库存，7 天内有效。"),
        widget=forms.FileInput({"accept": ".xlsx"}),
    )


class FollowUpForm(forms.Form):
    """What a follow-up found."""

    way = forms.ChoiceField(label=_("随访方式"), choices=_words(texts.WAYS), widget=forms.RadioSelect, initial="clinic")
    systolic = forms.IntegerField(label=_("收缩压"), required=False, help_text=_("电话、视频随访填患者家庭自测值。"))
    diastolic = forms.IntegerField(label=_("舒张压"), required=False)
    pulse = forms.IntegerField(label=_("脉搏"), required=False)
    symptoms = forms.MultipleChoiceField(
        label=_("症状"),
        choices=_words(texts.FOLLOW_UP_SYMPTOMS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    adherence = forms.ChoiceField(label=_("服药情况"), choices=FollowUp.Adherence.choices, widget=forms.RadioSelect)
    adverse_reaction = forms.CharField(label=_("药物不良反应"), max_length=200, required=False)
    advice = forms.CharField(label=_("处理意见"), max_length=400, required=False, widget=forms.Textarea({"rows": 2}))
    worse = forms.BooleanField(label=_("病情变化，需要再次转诊"), required=False)


class RescheduleForm(forms.Form):
    """Another day for a follow-up, or another unit that does it (`units`; without any it stays where it is)."""

    due_on = forms.DateField(label=_("改到"), widget=DayInput())
    unit = forms.TypedChoiceField(label=_("随访单位"), coerce=int, empty_value=None, required=False)
    reason = forms.CharField(label=_("原因"), max_length=200)

    def __init__(self, *args: Any, units: Iterable[tuple[int, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["unit"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = list(units)
        if not units:
            del self.fields["unit"]


def add_refusal(form: forms.Form, fields: dict[str, object], names: dict[str, str]) -> None:
    """Put the sentences of a refusal beside their fields; `names` maps an action's field to a form's."""
    for name, sentence in fields.items():
        target = names.get(name, name)
        form.add_error(target if target in form.fields else None, str(sentence))


def add_rest(form: forms.Form, fields: dict[str, object]) -> None:
    """Say what else is wrong beside the faults of shape, all at once; a field that was told its fault is not told twice."""
    add_refusal(form, {name: sentence for name, sentence in fields.items() if name not in form.errors}, {})
