"""Forms of the resident index: shape only; what the facts mean is checked by the actions."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.models import BreakGlassReview, SensitiveOpening
from doorstep.kernel.web.inputs import DayInput
from doorstep.people.residents.contacts import KINSHIPS
from doorstep.people.residents.documents import COUNTRIES, KINDS, NATIONAL_ID
from doorstep.people.residents.insurance import COMMERCIAL
from doorstep.people.residents.insurance import KINDS as INSURANCES
from doorstep.people.residents.models import Insurance, Resident
from doorstep.people.residents.queries import DEATH_SOURCES
from doorstep.people.residents.rules import (
    GROUPS,
    MOTHERS,
    USUAL_MOTHERS,
    NumberFacts,
    NumberFault,
    age_on,
    is_within,
    read_number,
)
from doorstep.people.residents.special import KINDS as SPECIALS
from doorstep.people.residents.special_models import SpecialDisease

_TYPED = {"autocomplete": "off", "spellcheck": "false"}


class NumberField(forms.CharField):
    """A national id as typed or scanned: spaces fall away, the last letter is large."""

    def to_python(self, value: Any) -> Any:
        """Clean what a scanner or a person typed."""
        return "".join(str(value or "").split()).upper()


class PresenceForm(forms.Form):
    """The card's whole number and a second fact."""

    number = NumberField(
        label=_("证件号码"),
        max_length=30,
        help_text=_("请刷身份证，或输入证件上的完整号码。"),
        widget=forms.TextInput(attrs=_TYPED),
    )
    second = forms.ChoiceField(
        label=_("第二项核对"),
        choices=[("phone", _("姓名与登记电话后四位")), ("code", _("居民手机上的 6 位到场码"))],
        initial="phone",
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("姓名"), max_length=60, required=False, widget=forms.TextInput(attrs=_TYPED))
    last_four = forms.RegexField(
        r"^\d{4}$",
        label=_("登记电话后四位"),
        required=False,
        widget=forms.TextInput(attrs={**_TYPED, "inputmode": "numeric", "maxlength": "4"}),
        error_messages={"invalid": _("请填写登记电话的最后 4 位数字。")},
    )
    code = forms.RegexField(
        r"^\d{6}$",
        label=_("到场码"),
        required=False,
        widget=forms.TextInput(attrs={**_TYPED, "inputmode": "numeric", "maxlength": "6"}),
        error_messages={"invalid": _("到场码是 6 位数字，请看居民手机上的“到场码”页。")},
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the second fact that was chosen."""
        facts = super().clean() or {}
        if facts.get("second") == "code":
            if not facts.get("code") and "code" not in self.errors:
                self.add_error("code", _("请填写居民手机上的 6 位到场码。"))
        elif not facts.get("name"):
            self.add_error("name", _("请填写与身份证一致的姓名。"))
        elif not facts.get("last_four") and "last_four" not in self.errors:
            self.add_error("last_four", _("请填写登记电话的最后 4 位数字。"))
        return facts


class RegisterForm(forms.Form):
    """A person who stands at the desk."""

    document = forms.ChoiceField(
        label=_("证件类型"), choices=[(code, _(label)) for code, label in KINDS.items()], initial=NATIONAL_ID
    )
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
        help_text=_("刷卡或输入，按证件填写完整号码；确实没有的留空，系统会给一个临时档案号。"),
        widget=forms.TextInput(attrs=_TYPED),
    )
    name = forms.CharField(label=_("姓名"), max_length=60)
    gender = forms.ChoiceField(
        label=_("性别"), choices=Resident.Gender.choices, required=False, widget=forms.RadioSelect
    )
    birth_date = forms.DateField(
        label=_("出生日期"),
        widget=DayInput(),
        required=False,
        help_text=_("有身份证号的不用填，号码里已有。"),
        error_messages={"invalid": _("请按 年-月-日 填写，例如 1963-09-15。")},
    )
    phone = forms.CharField(
        label=_("电话"), max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    address = forms.CharField(label=_("现住址"), max_length=200, required=False)
    relation_to_head = forms.CharField(label=_("与户主关系"), max_length=16, required=False)
    groups = forms.MultipleChoiceField(
        label=_("重点人群"), choices=list(GROUPS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    mother_number = NumberField(
        label=_("母亲身份证号"),
        max_length=30,
        required=False,
        help_text=_("新生儿还没有身份证号时填写。"),
        widget=forms.TextInput(attrs=_TYPED),
    )
    mother_checked = forms.BooleanField(label=_("已核对出生医学证明，确实是母亲"), required=False)
    birth_order = forms.IntegerField(
        label=_("胎次序号"), min_value=1, max_value=9, required=False, help_text=_("双胞胎的第二个填 2。")
    )
    insurance = forms.ChoiceField(
        label=_("医保类型"),
        choices=[("", _("未询问")), *((code, _(label)) for code, label in INSURANCES.items() if code != COMMERCIAL)],
        required=False,
    )
    insured_at = forms.CharField(
        label=_("参保地（统筹区）"), max_length=60, required=False, help_text=_("例如：禾川县。自费不用填写。")
    )

    def clean(self) -> dict[str, Any]:
        """Birth date and sex stand in the number of an id card; without one they must be said."""
        facts = super().clean() or {}
        card = _card(facts) if facts.get("document") == NATIONAL_ID else None
        for name, known, cure in (
            ("gender", card and card.gender, _("请选择性别。")),
            ("birth_date", card and card.birth_date, _("请填写出生日期。")),
        ):
            if not facts.get(name) and name not in self.errors:
                facts[name] = known
                if not known:
                    self.add_error(name, cure)
        self._look_again(facts)
        return facts

    def _look_again(self, facts: Mapping[str, Any]) -> None:
        """A mother of an unusual age is often the grandmother: somebody looks again and says so."""
        mother, born = _card({"number": facts.get("mother_number")}), facts.get("birth_date")
        if mother is None or not born or facts.get("number") or facts.get("mother_checked"):
            return
        if is_within(MOTHERS, mother.birth_date, born) and not is_within(USUAL_MOTHERS, mother.birth_date, born):
            said = _("按身份证号，她在孩子出生那天 %(age)s 岁。请核对是不是祖辈的号码；确实是母亲的，勾选后再登记。")
            self.add_error("mother_checked", said % {"age": age_on(mother.birth_date, born)})


def _card(facts: Mapping[str, Any]) -> NumberFacts | None:
    try:
        return read_number(facts.get("number") or "", today=timezone.localdate())
    except NumberFault:
        return None


class ChangeForm(forms.Form):
    """What changes in a resident's life and is not on the card."""

    phone = forms.CharField(label=_("电话"), max_length=20, required=False)
    address = forms.CharField(label=_("现住址"), max_length=200, required=False)
    groups = forms.MultipleChoiceField(
        label=_("重点人群"), choices=list(GROUPS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )


class ContactForm(forms.Form):
    """Whom to call for a resident."""

    contact_name = forms.CharField(
        label=_("联系人姓名"), max_length=60, required=False, widget=forms.TextInput(attrs={**_TYPED, "list": "family"})
    )
    contact_relation = forms.ChoiceField(
        label=_("与居民的关系"),
        choices=[("", "—"), *((code, _(label)) for code, label in KINSHIPS.items())],
        required=False,
    )
    contact_phone = forms.CharField(
        label=_("联系人电话"), max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    contact_is_guardian = forms.BooleanField(label=_("是监护人（儿童、无行为能力者）"), required=False)


class InsuranceForm(forms.Form):
    """How a resident's care is paid."""

    kind = forms.ChoiceField(
        label=_("医保类型"),
        choices=[(code, _(label)) for code, label in INSURANCES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择医保类型。")},
    )
    place = forms.CharField(
        label=_("参保地（统筹区）"), max_length=60, required=False, help_text=_("例如：禾川县。自费不用填写。")
    )
    insurer = forms.CharField(label=_("保险公司"), max_length=60, required=False, help_text=_("只有商业保险需要填写。"))
    since = forms.DateField(label=_("起始日期"), widget=DayInput(), required=False)
    until = forms.DateField(label=_("终止日期"), widget=DayInput(), required=False)
    source = forms.ChoiceField(
        label=_("依据"),
        choices=[one for one in Insurance.Source.choices if one[0] != Insurance.Source.IMPORTED],
        initial=Insurance.Source.VOUCHER,
        widget=forms.RadioSelect,
    )


class SpecialForm(forms.Form):
    """A disease that the insurance has recognised."""

    kind = forms.ChoiceField(
        label=_("病种"),
        choices=[("", _("请选择")), *((code, _(label)) for code, label in SPECIALS.items())],
        error_messages={"required": _("请从列表中选择病种。")},
    )
    name = forms.CharField(
        label=_("病种名称"), max_length=60, required=False, help_text=_("只有“其他病种”需要填写，与认定书一致。")
    )
    since = forms.DateField(label=_("待遇开始日期"), widget=DayInput(), required=False)
    until = forms.DateField(label=_("待遇终止日期"), widget=DayInput(), required=False, help_text=_("长期有效的不填。"))
    source = forms.ChoiceField(
        label=_("依据"),
        choices=[one for one in SpecialDisease.Source.choices if one[0] != SpecialDisease.Source.IMPORTED],
        initial=SpecialDisease.Source.PAPER,
        widget=forms.RadioSelect,
    )


class OpenAccountForm(forms.Form):
    """The name of an own account for the resident who stands here."""

    username = forms.CharField(label=_("用户名"), max_length=30, widget=forms.TextInput(attrs=_TYPED))


class AccountLinkForm(forms.Form):
    """Whose account may act for the resident."""

    username = forms.CharField(label=_("代办人的用户名"), max_length=30, widget=forms.TextInput(attrs=_TYPED))
    relation = forms.ChoiceField(
        label=_("这位居民是代办人的"), choices=[("", "—"), *((code, _(label)) for code, label in KINSHIPS.items())]
    )
    paper = forms.CharField(
        label=_("监护文书的名称和文号"),
        max_length=200,
        required=False,
        help_text=_("只有成年居民不能表达意愿时填写：法院判决书、指定监护文书或意定监护公证书。填写后核验监护人到场。"),
    )
    papers = forms.BooleanField(label=_("已核对关系证明，或已取得成年居民本人同意"), required=False)

    def __init__(self, *given: Any, adult: bool, **named: Any) -> None:
        super().__init__(*given, **named)
        if not adult:
            del self.fields["paper"]


class EndSpecialForm(forms.Form):
    """Why a recognised disease does not stand any more."""

    ending = forms.ChoiceField(
        label=_("处理"), choices=SpecialDisease.Ending.choices, initial=SpecialDisease.Ending.ENDED
    )
    reason = forms.CharField(label=_("说明"), max_length=200, required=False)


class EndInsuranceForm(forms.Form):
    """Why a line of insurance does not stand any more."""

    ending = forms.ChoiceField(
        label=_("处理"),
        choices=[one for one in Insurance.Ending.choices if one[0] != Insurance.Ending.REPLACED],
        initial=Insurance.Ending.ENDED,
    )
    reason = forms.CharField(label=_("说明"), max_length=200, required=False)


class DeathForm(forms.Form):
    """When a resident died, and what says so."""

    died_on = forms.DateField(
        label=_("死亡日期"),
        widget=DayInput(),
        error_messages={"invalid": _("请按 年-月-日 填写，例如 2026-09-15。"), "required": _("请选择日期。")},
    )
    source = forms.ChoiceField(
        label=_("依据"),
        choices=[(code, _(label)) for code, label in DEATH_SOURCES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择依据。")},
    )
    certificate = forms.CharField(
        label=_("死亡证编号"),
        max_length=40,
        required=False,
        help_text=_("依据为死亡证时填写。"),
        widget=forms.TextInput(attrs=_TYPED),
    )
    note = forms.CharField(label=_("说明"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class RevokeDeathForm(forms.Form):
    """Why a recorded death is none."""

    reason = forms.CharField(
        label=_("撤销理由"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明怎样确认居民健在，例如“本人持身份证到场”。")},
    )


class GlassForm(forms.Form):
    """Why an emergency cannot wait."""

    number = NumberField(label=_("身份证号"), max_length=30, widget=forms.TextInput(attrs=_TYPED))
    reason = forms.CharField(
        label=_("紧急理由"),
        max_length=400,
        min_length=BreakGlassReview.SHORTEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("不少于 10 个字。居民会看到，审计员会逐条复核。"),
    )


class OpenSensitiveForm(forms.Form):
    """For what sensitive entries are opened."""

    purpose = forms.ChoiceField(
        label=_("查看目的"),
        choices=lambda: [(code, gettext(label)) for code, label in SensitiveOpening.Purpose.choices],
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择查看目的。"), "invalid_choice": _("请选择查看目的。")},
    )
    words = forms.CharField(
        label=_("具体原因"),
        min_length=4,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("不少于 4 个字，例如“开具抗抑郁药前核对既往用药”。居民会看到。"),
        error_messages={
            "required": _("请用不少于 4 个字写明这次为什么需要查看。"),
            "min_length": _("请用不少于 4 个字写明这次为什么需要查看。"),
        },
    )


class ImportForm(forms.Form):
    """A file of residents."""

    file = forms.FileField(
        label=_("居民名册"),
        help_text=_("Excel（.xlsx、.xls）或 CSV（UTF-8、GB18030），最多 10,000 行。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": _("请选择一个文件。"), "empty": _("这个文件是空的，请核对后重新选择。")},
    )
