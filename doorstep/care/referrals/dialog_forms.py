"""What the dialogs of a referral ask: one small form per verb; a refusal comes back in the dialog, with what was typed."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import down_aims
from doorstep.care.referrals.models import Referral
from doorstep.kernel.web.inputs import DayInput
from doorstep.people.residents.queries import DEATH_SOURCES

_REASON = _("说明（对方会看到）")


def _none_first(choices: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Coded reasons with none chosen yet: what stands there already would be counted for whoever did not look."""
    return [("", "—"), *choices]


def _area(label: Any, *, required: bool = True, rows: int = 2) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=2000, widget=forms.Textarea({"rows": rows}))


class ReasonForm(forms.Form):
    """A verb that asks for its reason alone."""

    reason = _area(_REASON)


class DeathForm(forms.Form):
    """The day of death and what is known of it; the death is registered with it."""

    died_on = forms.DateField(label=_("死亡日期"), initial=timezone.localdate, widget=DayInput())
    source = forms.ChoiceField(
        label=_("依据"), choices=[(code, _(label)) for code, label in DEATH_SOURCES.items()], initial="family"
    )
    certificate = forms.CharField(label=_("死亡证编号（依据为死亡证时填写）"), max_length=40, required=False)
    reason = _area(_REASON)


class AcceptForm(forms.Form):
    """An acceptance with what the patient should bring; sent without a dialog it is empty."""

    instructions = _area(_("患者须知"), required=False)


class PlaceForm(forms.Form):
    """An acceptance with a place of the own clinics."""

    slot = forms.CharField(label=_("号源"), max_length=40, error_messages={"required": _("请选择一个号源。")})
    instructions = _area(_("患者须知"), required=False)


class ReturnForm(forms.Form):
    """What is missing."""

    code = forms.ChoiceField(label=_("退回原因"), choices=_none_first(Referral.ReturnReason.choices))
    reason = _area(_REASON)


class DeclineForm(forms.Form):
    """A coded reason and an alternative."""

    code = forms.ChoiceField(label=_("原因"), choices=_none_first(Referral.DeclineReason.choices))
    alternative = _area(_("替代方案（转出方和患者会看到）"))
    reason = _area(_REASON, required=False)


class RedirectForm(forms.Form):
    """Another department, or another unit."""

    department = forms.TypedChoiceField(label=_("改派到本院科室"), coerce=int, empty_value=None, required=False)
    target = forms.TypedChoiceField(label=_("或改派到其他机构"), coerce=int, empty_value=None, required=False)
    reason = _area(_REASON)


class OfferForm(forms.Form):
    """A bed of the board, a place of the own clinics or a place in words, and when; a clinic's place says its time itself."""

    bed = forms.ChoiceField(label=_("床位"), required=False)
    slot = forms.CharField(label=_("或选择本院号源"), max_length=40, required=False)
    text = forms.CharField(label=_("或写明科室、医师、诊室"), max_length=160, required=False)
    expected_at = forms.DateTimeField(
        label=_("到院时间"),
        required=False,
        help_text=_("选号源的不必填写，以号源时间为准。"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class RefuseOfferForm(forms.Form):
    """Why the patient does not take what is offered."""

    code = forms.ChoiceField(label=_("原因"), choices=Referral.OfferRefusal.choices, widget=forms.RadioSelect)
    reason = _area(_("补充说明（对方会看到）"), required=False)


class AdviseForm(forms.Form):
    """Advice in place of a visit."""

    advice = _area(_("答复建议（转出方和患者会看到）"), rows=4)


class DepartForm(forms.Form):
    """How the patient travels, when the hospital may expect the patient, who goes along, and how the patient is now."""

    transport = forms.ChoiceField(label=_("转运方式"), choices=Referral.Transport.choices, widget=forms.RadioSelect)
    expected_at = forms.DateTimeField(
        label=_("预计到院"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    escort = forms.CharField(label=_("护送人员与电话"), max_length=80, required=False)
    leaving = _area(_("出发时情况（意识、血压、用药，接诊方会看到）"), required=False)


class ElsewhereForm(forms.Form):
    """Where the patient was seen."""

    place = forms.CharField(label=_("患者实际就诊的机构"), max_length=120)
    reason = _area(_REASON, required=False)


class OutsideResultForm(forms.Form):
    """What came of it outside."""

    result = _area(_("院外诊断、治疗和目前情况"), rows=4)


class HandBackForm(forms.Form):
    """Where the patient goes, and who takes over there."""

    aim = forms.ChoiceField(
        label=_("患者去向"), choices=[(code, _(text)) for code, text in down_aims.TEXTS.items()], required=False
    )
    receiver = forms.TypedChoiceField(label=_("承接机构（离家近的在前）"), coerce=int, empty_value=None, required=False)


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )


class NewDayForm(forms.Form):
    """Another day, agreed with the patient: a place of the target's clinics, or a time."""

    slot = forms.CharField(label=_("选择号源"), max_length=40, required=False)
    expected_at = forms.DateTimeField(
        label=_("到院时间"),
        required=False,
        help_text=_("选号源的不必填写，以号源时间为准。"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = _area(_("原因与约定情况（对方会看到）"), required=False)


class TakeBackForm(forms.Form):
    """When a patient who is taken over arrives, and the bed that is kept."""

    expected_at = _moment(_("到达时间"))
    bed = forms.ChoiceField(label=_("床位"), required=False)


class ArriveBackForm(forms.Form):
    """The bed in which the patient lies now."""

    bed = forms.ChoiceField(label=_("床位"), required=False)


class PostponeForm(forms.Form):
    """Another time of arrival, agreed with the patient."""

    expected_at = _moment(_("到达时间"))
    reason = _area(_REASON)


class DeclineBackForm(forms.Form):
    """Why the patient cannot be taken."""

    code = forms.ChoiceField(label=_("原因"), choices=_none_first(Referral.BackReason.choices))
    reason = _area(_REASON)


class CloseForm(forms.Form):
    """What is to be said of the outcome besides."""

    outcome = _area(_("结局补充说明"), required=False)


class OutsideForm(forms.Form):
    """A patient who leaves the network: for what, where to and why."""

    impression = forms.CharField(label=_("初步印象"), max_length=200)
    outside_name = forms.CharField(label=_("转往机构名称"), max_length=120)
    outside_reason = forms.ChoiceField(
        label=_("转往医共体外的原因"), choices=_none_first(Referral.OutsideReason.choices)
    )


class QuestionForm(forms.Form):
    """A question to the other side of a case."""

    text = _area(_("问题（写明目前情况和要问的问题）"), rows=3)
    urgent = forms.BooleanField(label=_("紧急（2 小时内答复）"), required=False)


class AnswerForm(forms.Form):
    """The answer to a question."""

    answer = _area(_("答复"), rows=4)


FORMS: dict[str, type[forms.Form]] = {
    "accept": AcceptForm,
    "accept_place": PlaceForm,
    "return": ReturnForm,
    "decline": DeclineForm,
    "redirect": RedirectForm,
    "offer": OfferForm,
    "advise": AdviseForm,
    "refuse_offer": RefuseOfferForm,
    "refuse_there": RefuseOfferForm,
    "withdraw": ReasonForm,
    "record_death": DeathForm,
    "undo_check_in": ReasonForm,
    "agree_day": NewDayForm,
    "agree_day_there": NewDayForm,
    "depart": DepartForm,
    "go_elsewhere": ElsewhereForm,
    "report_outside": OutsideResultForm,
    "hand_back": HandBackForm,
    "receive_back": TakeBackForm,
    "arrive_back": ArriveBackForm,
    "postpone_back": PostponeForm,
    "decline_back": DeclineBackForm,
    "close": CloseForm,
}
# Verbs that are carried out by their button alone.
PLAIN = frozenset({"check_in", "treat", "confirm", "confirm_there"})


def dialog_form(
    verb: str, data: Any, *, choices: dict[str, list[tuple[Any, str]]], initial: dict[str, Any]
) -> forms.Form:
    """The form of a verb's dialog, bound when `data` is given; an empty form for a verb that asks nothing."""
    made = FORMS.get(verb, forms.Form)(data, auto_id=f"{verb}_%s", initial=initial)
    for name, rows in choices.items():
        field = made.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            empty = [] if field.required or name == "receiver" else [("", "—")]
            field.choices = [*empty, *((str(value), label) for value, label in rows)]
    return made
