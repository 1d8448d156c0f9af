"""Forms of allergies."""

from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.allergies.models import Allergy
from doorstep.kernel.terminology.queries import Code

_GROUPS = {
    "medication": _("药物"),
    "food": _("食物"),
    "environment": _("环境与接触物"),
    "biologic": _("生物制品"),
}


class AllergyForm(forms.Form):
    """What the resident is allergic to, what happened, how bad and how sure it is."""

    code = forms.ChoiceField(label=_("过敏原"), required=False)
    other = forms.CharField(
        label=_("其他过敏原"),
        max_length=80,
        required=False,
        help_text=_("列表中没有时填写通用名。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reaction = forms.CharField(
        label=_("反应"), max_length=120, required=False, help_text=_("例如：皮疹、喉头水肿、过敏性休克。")
    )
    severity = forms.ChoiceField(
        label=_("严重程度"), choices=[("", _("不详")), *Allergy.Severity.choices], required=False
    )
    certainty = forms.ChoiceField(
        label=_("是否确认"),
        choices=Allergy.Certainty.choices,
        initial=Allergy.Certainty.CONFIRMED,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, substances: list[Code], **kwargs: Any):
        super().__init__(*args, **kwargs)
        english = (get_language() or "").startswith("en")
        grouped = [
            (_GROUPS.get(group, group), [(one.code, one.en if english else one.zh) for one in members])
            for group, members in groupby(substances, lambda one: one.extra.get("category", ""))
        ]
        self.fields["code"].choices = [("", "—"), *grouped]  # type: ignore[attr-defined]


class RefuteForm(forms.Form):
    """Why a line does not stand."""

    reason = forms.CharField(
        label=_("否定依据"),
        max_length=200,
        error_messages={"required": _("请写明依据，例如“皮试阴性”“本人记错”。")},
    )
