"""Forms of schedules, bookings and shares: shape only; what clashes is found by the actions."""

from datetime import time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.models import CalendarDay, Facility, PlaceQuota, Schedule
from doorstep.coordination.scheduling.rules import quota_name
from doorstep.coordination.scheduling.sinking import Step
from doorstep.kernel.web.inputs import DayInput
from doorstep.people.residents.documents import is_whole_document
from doorstep.people.residents.rules import is_whole_number

HOLIDAY_NAMES = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节", "纪念日")
WEEKDAYS = [
    (0, _("周一")),
    (1, _("周二")),
    (2, _("周三")),
    (3, _("周四")),
    (4, _("周五")),
    (5, _("周六")),
    (6, _("周日")),
]
# The steps upward that a release rule may have.
LADDER = (
    ("community", "community"),
    ("community", "referral"),
    ("community", "open"),
    ("contract", "contract"),
    ("contract", "referral"),
    ("contract", "open"),
    ("referral", "open"),
    ("own", "open"),
)
TIME = {"type": "time"}


class _NearDay(forms.DateField):
    """A day that a clinic's work can be about: of the last year or the next three."""

    widget = DayInput

    def validate(self, value: Any) -> None:
        super().validate(value)
        today = timezone.localdate()
        first, last = today - timedelta(days=366), today + timedelta(days=3 * 366)
        if value is not None and not first <= value <= last:
            facts = {"first": first.isoformat(), "last": last.isoformat()}
            raise forms.ValidationError(_("请填写 %(first)s 到 %(last)s 之间的日期。"), params=facts)


def day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    """A day that a clinic's work can be about, as a field of a form."""
    return _NearDay(label=label, required=required, help_text=help_text)


class ScheduleForm(forms.Form):
    """A new schedule of a department, with an expert, a room or a machine, or none of them."""

    department = forms.TypedChoiceField(label=_("科室"), coerce=int)
    practitioner = forms.TypedChoiceField(label=_("专家"), coerce=int, required=False, empty_value=None)
    facility = forms.TypedChoiceField(label=_("诊室或设备"), coerce=int, required=False, empty_value=None)
    service = forms.ChoiceField(label=_("服务"), choices=Schedule.Service.choices)

    def __init__(
        self,
        *args: Any,
        departments: list[tuple[int, str]],
        practitioners: list[tuple[int, str]],
        facilities: list[tuple[int, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        department, practitioner, facility = (self.fields[name] for name in ("department", "practitioner", "facility"))
        department.choices = departments  # type: ignore[attr-defined]
        practitioner.choices = [("", _("不指定（科室号）")), *practitioners]  # type: ignore[attr-defined]
        facility.choices = [("", _("不指定")), *facilities]  # type: ignore[attr-defined]


class FacilityForm(forms.Form):
    """A room or a machine."""

    department = forms.TypedChoiceField(label=_("科室"), coerce=int)
    kind = forms.ChoiceField(label=_("类别"), choices=Facility.Kind.choices)
    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("例如：3 诊室、彩超 2 号机"))

    def __init__(self, *args: Any, departments: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].choices = departments  # type: ignore[attr-defined]


class VisitKindForm(forms.Form):
    """A kind of visit with its length and buffers."""

    department = forms.TypedChoiceField(label=_("科室"), coerce=int)
    name = forms.CharField(label=_("名称"), max_length=40, help_text=_("例如：初诊、复诊、增强 CT"))
    minutes = forms.IntegerField(label=_("时长"), min_value=5, max_value=480, initial=20)
    before = forms.IntegerField(label=_("前置缓冲"), min_value=0, max_value=120, initial=0)
    after = forms.IntegerField(label=_("后置缓冲"), min_value=0, max_value=120, initial=0)

    def __init__(self, *args: Any, departments: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].choices = departments  # type: ignore[attr-defined]


class SessionForm(forms.Form):
    """A weekly session and how many places of each slot go to whom."""

    weekday = forms.TypedChoiceField(label=_("星期"), choices=WEEKDAYS, coerce=int)
    starts = forms.TimeField(label=_("开始"), widget=forms.TimeInput(attrs=TIME), initial="08:30")
    ends = forms.TimeField(label=_("结束"), widget=forms.TimeInput(attrs=TIME), initial="11:30")
    kind = forms.TypedChoiceField(label=_("就诊类型"), coerce=int, required=False, empty_value=None)
    minutes = forms.IntegerField(label=_("每段时长"), min_value=5, max_value=480, initial=30)
    referral = forms.IntegerField(label=_("转诊号数"), min_value=0, max_value=99, initial=1)
    contract = forms.IntegerField(label=_("签约号数"), min_value=0, max_value=99, initial=1)
    community = forms.IntegerField(label=_("社区号数"), min_value=0, max_value=99, initial=0)
    own = forms.IntegerField(label=_("本院号数"), min_value=0, max_value=99, initial=2)
    open = forms.IntegerField(label=_("公开号数"), min_value=0, max_value=99, initial=0)
    only_on = day_field(_("仅这一天（加诊）"), required=False, help_text=_("填写后只在这一天出诊，忽略星期。"))
    since = day_field(_("生效日期"), required=False)
    until = day_field(_("失效日期"), required=False)

    def __init__(self, *args: Any, kinds: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("不区分")), *kinds]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The end comes after the start, with room for one slot."""
        facts = super().clean() or {}
        starts, ends = facts.get("starts"), facts.get("ends")
        if starts and ends and ends <= starts:
            self.add_error("ends", _("结束时间须晚于开始时间。"))
        return facts

    def places(self) -> dict[str, int]:
        """Places by quota."""
        return {quota.value: int(self.cleaned_data[quota.value]) for quota in PlaceQuota}


class RuleForm(forms.Form):
    """When slots are released by themselves, and what happens on holidays and make-up workdays."""

    release_days = forms.IntegerField(
        label=_("提前放号"), min_value=0, max_value=90, required=False, help_text=_("留空则只手工生成。")
    )
    release_at = forms.TimeField(label=_("放号时间"), widget=forms.TimeInput(attrs=TIME), initial=time(7))
    holidays = forms.ChoiceField(label=_("法定节假日"), choices=Schedule.Holidays.choices)
    makeup_as = forms.TypedChoiceField(
        label=_("调休上班日"), coerce=int, required=False, empty_value=None, choices=[("", _("不出诊")), *WEEKDAYS]
    )
    priority_hours = forms.IntegerField(
        label=_("优先时段"),
        min_value=0,
        max_value=72,
        initial=0,
        help_text=_("放号后的这些小时内，公开号只给优先人群。"),
    )
    is_active = forms.BooleanField(label=_("启用"), required=False)


class ExceptionForm(forms.Form):
    """A day that does not follow the week."""

    day = day_field(_("日期"))
    follows = forms.TypedChoiceField(
        label=_("安排"),
        coerce=int,
        required=False,
        empty_value=None,
        choices=[("", _("不出诊")), *((day, label) for day, label in WEEKDAYS)],
    )
    reason = forms.CharField(label=_("说明"), max_length=200, required=False)


class RangeForm(forms.Form):
    """The days for which slots are laid out."""

    first = day_field(_("从"))
    last = day_field(_("到"))


class RoomForm(forms.Form):
    """Another room or machine from a day on."""

    facility = forms.TypedChoiceField(label=_("诊室或设备"), coerce=int)
    since = day_field(_("生效日期"))

    def __init__(self, *args: Any, facilities: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility"].choices = facilities  # type: ignore[attr-defined]


class KindForm(forms.Form):
    """Another kind of visit from a day on, for one session or for every weekly one."""

    session = forms.TypedChoiceField(label=_("时段"), coerce=int, empty_value=None, required=False)
    kind = forms.TypedChoiceField(label=_("就诊类型"), coerce=int)
    since = day_field(_("生效日期"))
    relay = forms.BooleanField(
        label=_("已放而无人预约的号按新类型重排"),
        required=False,
        help_text=_("有预约、预留或候补的时段保持原样，与之重叠的新时段不放。"),
    )

    def __init__(
        self, *args: Any, sessions: list[tuple[int, str]], kinds: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["session"].choices = [("", _("全部每周时段")), *sessions]  # type: ignore[attr-defined]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


class CalendarForm(forms.Form):
    """A holiday, or weekend days that are worked, of a year that the packaged calendar does not have."""

    first = day_field(_("从"))
    last = day_field(_("到"))
    kind = forms.ChoiceField(label=_("安排"), choices=CalendarDay.Kind.choices)
    name = forms.ChoiceField(label=_("节日"), choices=[(name, _(name)) for name in HOLIDAY_NAMES])
    source = forms.CharField(
        label=_("依据"),
        max_length=200,
        help_text=_("通知的名称和文号，例如：国务院办公厅关于 2027 年部分节假日安排的通知。"),
    )


class WaitForm(forms.Form):
    """The days between which a place is wanted."""

    first_day = day_field(_("最早日期"))
    last_day = day_field(_("最晚日期"))


class SinkForm(forms.Form):
    """The release rule: for every step how many days before and at which hour; an empty step is left out."""

    def __init__(self, *args: Any, steps: list[Step], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = {(step.quota, step.to_quota): step for step in steps}
        for quota, to_quota in LADDER:
            step = held.get((quota, to_quota))
            self.fields[f"{quota}-{to_quota}-days"] = forms.IntegerField(
                label=_("天"), min_value=0, max_value=60, required=False, initial=step.days_before if step else None
            )
            self.fields[f"{quota}-{to_quota}-at"] = forms.TimeField(
                label=_("时间"),
                widget=forms.TimeInput(format="%H:%M", attrs=TIME),
                required=False,
                initial=step.at if step else time(16),
            )

    def rows(self) -> list[tuple[str, str, forms.BoundField, forms.BoundField]]:
        """Each step's quota, whom it goes to, and its two fields."""
        return [
            (
                quota_name(quota),
                str(_("同类全部机构")) if quota == to_quota else quota_name(to_quota),
                self[f"{quota}-{to_quota}-days"],
                self[f"{quota}-{to_quota}-at"],
            )
            for quota, to_quota in LADDER
        ]

    def steps(self) -> list[Step]:
        """The steps that were filled in."""
        facts = self.cleaned_data
        return [
            Step(quota, to_quota, facts[f"{quota}-{to_quota}-days"], facts[f"{quota}-{to_quota}-at"] or time(16))
            for quota, to_quota in LADDER
            if facts.get(f"{quota}-{to_quota}-days") is not None
        ]


class IdentifyForm(forms.Form):
    """Who stands at the kiosk or calls: the card's number, and a second fact or the code from the own phone.

    A card reader types "name,number" and a phone's QR code "number#code" into the number's field: both are taken apart.
    """

    number = forms.CharField(label=_("身份证号"), max_length=60)
    name = forms.CharField(label=_("姓名"), max_length=40, required=False)
    phone_last_four = forms.RegexField(
        label=_("登记手机后四位"),
        regex=r"^[0-9]{4}$",
        required=False,
        error_messages={"invalid": _("请输入登记手机号码的后四位数字。")},
    )
    code = forms.RegexField(
        label=_("手机到场码"),
        regex=r"^[0-9]{6}$",
        required=False,
        error_messages={"invalid": _("到场码是居民手机页面上的 6 位数字。")},
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        given = data.copy() if data is not None else None
        if given is not None:
            scanned = str(given.get("number", "")).strip()
            if "#" in scanned:
                given["number"], _sign, given["code"] = (part.strip() for part in scanned.partition("#"))
            elif "," in scanned:
                given["name"], _sign, given["number"] = (part.strip() for part in scanned.partition(","))
        super().__init__(given, *args, **kwargs)

    def clean_number(self) -> str:
        """A whole number: fragments find nobody."""
        number = "".join(str(self.cleaned_data["number"]).split()).upper()
        if not is_whole_number(number) and not is_whole_document(number):
            raise forms.ValidationError(_("请输入完整的证件号码，或把身份证放到读卡区。"))
        return number

    def clean(self) -> dict[str, Any]:
        """The number alone does not prove who somebody is."""
        facts = super().clean() or {}
        if not facts.get("code") and not (facts.get("name") and facts.get("phone_last_four")) and not self.errors:
            raise forms.ValidationError(_("请再填手机到场码，或姓名和登记手机后四位。"))
        return facts
