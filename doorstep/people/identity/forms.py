"""Forms of the records office."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.web.inputs import DayInput
from doorstep.people.identity.differences import Difference, field_of
from doorstep.people.identity.facts import FACTS
from doorstep.people.identity.listing import FIELDS
from doorstep.people.identity.naming import KEPT, WRONG
from doorstep.people.residents.documents import COUNTRIES, KINDS
from doorstep.people.residents.forms import NumberField
from doorstep.people.residents.models import Resident


class MergeForm(forms.Form):
    """Whose value is kept for each fact that the two records tell differently, and why they are one person."""

    reason = forms.CharField(
        label=_("合并依据"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("核对了什么，例如“居民本人持身份证到场，两份档案均为本人”。"),
    )

    def __init__(
        self, *args: object, differing: dict[str, str], strong: Sequence[Difference] = (), **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.strong = strong
        if strong:
            self.fields["reason"].help_text = _("逐项说明：为什么有这些不同仍是同一人，核对了哪些证件、由谁确认。")
        for one in strong:
            self.fields[field_of(one.code)] = forms.BooleanField(
                label=_("已核实：%(what)s") % {"what": one.sentence},
                error_messages={"required": _("请核实后勾选。")},
            )
        for fact in FACTS:
            if fact.code in differing:
                self.fields[fact.code] = forms.ChoiceField(
                    label=fact.name,
                    choices=[("standing", _("保留档案")), ("former", _("并入档案"))],
                    initial=differing[fact.code],
                    widget=forms.RadioSelect,
                )

    def choices(self) -> dict[str, str]:
        """The chosen sides by fact."""
        return {fact.code: self.cleaned_data[fact.code] for fact in FACTS if fact.code in self.cleaned_data}

    def confirmed(self) -> list[str]:
        """The codes of the differences that were confirmed."""
        return [one.code for one in self.strong if self.cleaned_data.get(field_of(one.code))]


class UndoForm(forms.Form):
    """Why two records are not one person after all."""

    reason = forms.CharField(label=_("撤销依据"), max_length=400, widget=forms.Textarea(attrs={"rows": 2}))


class DeclineForm(forms.Form):
    """Why the second person does not agree to a merge."""

    reason = forms.CharField(label=_("不同意的原因"), max_length=400, widget=forms.Textarea(attrs={"rows": 2}))


class UnknownForm(forms.Form):
    """An emergency patient whom nobody can name."""

    gender = forms.ChoiceField(label=_("性别"), choices=Resident.Gender.choices, widget=forms.RadioSelect)
    estimated_age = forms.IntegerField(label=_("估计年龄"), min_value=0, max_value=120)
    note = forms.CharField(
        label=_("发现经过与体貌特征"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("发现地点、送来的人、衣着、身高、疤痕等，便于以后确认身份。"),
    )


class IdentifyForm(forms.Form):
    """Who somebody is, and on what ground that is known."""

    document = forms.ChoiceField(label=_("证件类型"), choices=[(code, _(label)) for code, label in KINDS.items()])
    country = forms.ChoiceField(
        label=_("护照签发国家"),
        choices=[("", "—"), *((code, _(label)) for code, label in COUNTRIES.items())],
        required=False,
        help_text=_("只有护照需要填写。"),
    )
    number = NumberField(
        label=_("证件号码"),
        max_length=30,
        required=False,
        help_text=_("刷卡或输入完整号码；仍然没有证件的留空。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    old_number = forms.ChoiceField(
        label=_("原来的号码"),
        choices=[(KEPT, _("本人曾用（号码变更、换发证件），保留为旧号码")), (WRONG, _("当时录错，不是本人的"))],
        required=False,
        widget=forms.RadioSelect,
        help_text=_("改号码时必选。保留的旧号码仍能找到本人，别人不能再用它建档。"),
    )
    name = forms.CharField(label=_("姓名"), max_length=60)
    gender = forms.ChoiceField(label=_("性别"), choices=Resident.Gender.choices, widget=forms.RadioSelect)
    birth_date = forms.DateField(
        label=_("出生日期"),
        widget=DayInput(),
        error_messages={"invalid": _("请按 年-月-日 填写，例如 1963-09-15。")},
    )
    reason = forms.CharField(
        label=_("依据"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("核对了哪种证件、由谁确认，例如“家属持户口簿到院确认”。"),
    )

    def __init__(self, *args: Any, keeps_number: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if keeps_number:
            # What is sent for them does not count: the number that stands stays.
            for name in ("document", "country", "number"):
                self.fields[name].disabled = True
            self.fields["number"].help_text = _("换号码或更正号码由档案管理员办理。")


class ListForm(forms.Form):
    """A hospital's list of patients."""

    file = forms.FileField(
        label=_("患者名单"),
        help_text=_(
            "Excel（.xlsx、.xls）或 CSV（UTF-8、GB18030），第一行是列名，最多 100,000 行；更多的由运维在服务器上比对。"
        ),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": _("请选择一个文件。"), "empty": _("这个文件是空的，请核对后重新选择。")},
    )


class ColumnsForm(forms.Form):
    """Which column of the file is what."""

    def __init__(self, *args: object, heads: Sequence[str], columns: Mapping[str, int], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = [("", _("没有这一列")), *((str(place), head) for place, head in enumerate(heads))]
        for field in FIELDS:
            self.fields[field.code] = forms.ChoiceField(
                label=str(field.name), choices=choices, required=field.needed, initial=str(columns.get(field.code, ""))
            )

    def columns(self) -> dict[str, int]:
        """The place of the column by the code of the field."""
        return {code: int(place) for code, place in self.cleaned_data.items() if place}
