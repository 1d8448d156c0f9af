"""Vital signs: bounds of what is possible and plausible, and the danger rule of blood pressure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Sign:
    """One vital sign: what it is called, its unit and code, and its bounds.

    Outside `possible` a value is a slip of the keyboard; outside `plausible` it must be confirmed.
    """

    name: str
    zh: str
    unit: str
    ucum: str
    code: str
    display: str
    possible: tuple[Decimal, Decimal]
    plausible: tuple[Decimal, Decimal]
    panel: str = ""


def _span(low: str, high: str) -> tuple[Decimal, Decimal]:
    return Decimal(low), Decimal(high)


BLOOD_PRESSURE = "85354-9"  # Blood pressure panel with all children optional (LOINC)

# Bounds are a safeguard against slips, set by the house; the codes are those of the FHIR R4 vital signs profile
# (hl7.org/fhir/R4/observation-vitalsigns.html).
SIGNS: dict[str, Sign] = {
    sign.name: sign
    for sign in (
        Sign(
            "systolic",
            "收缩压",
            "mmHg",
            "mm[Hg]",
            "8480-6",
            "Systolic blood pressure",
            _span("40", "300"),
            _span("80", "220"),
            BLOOD_PRESSURE,
        ),
        Sign(
            "diastolic",
            "舒张压",
            "mmHg",
            "mm[Hg]",
            "8462-4",
            "Diastolic blood pressure",
            _span("20", "200"),
            _span("45", "130"),
            BLOOD_PRESSURE,
        ),
        Sign("heart_rate", "心率", "次/分", "/min", "8867-4", "Heart rate", _span("20", "300"), _span("40", "160")),
        Sign(
            "respiration",
            "呼吸",
            "次/分",
            "/min",
            "9279-1",
            "Respiratory rate",
            _span("4", "80"),
            _span("8", "40"),
        ),
        Sign("temperature", "体温", "℃", "Cel", "8310-5", "Body temperature", _span("30", "45"), _span("35", "41")),
        Sign(
            "oxygen",
            "血氧饱和度",
            "%",
            "%",
            "2708-6",
            "Oxygen saturation in Arterial blood",
            _span("30", "100"),
            _span("85", "100"),
        ),
        Sign("weight", "体重", "kg", "kg", "29463-7", "Body weight", _span("0.3", "350"), _span("2", "180")),
        Sign("height", "身高", "cm", "cm", "8302-2", "Body height", _span("20", "250"), _span("40", "210")),
        Sign(
            "glucose",
            "血糖",
            "mmol/L",
            "mmol/L",
            "15074-8",
            "Glucose [Moles/volume] in Blood",
            _span("0.5", "60"),
            _span("2.5", "33.3"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure of medicine with its unit, its source and since when it holds."""

    value: Decimal
    unit: str
    valid_from: date
    source: str
    verified: bool


_GUIDELINE = gettext_noop("国家基层高血压防治管理指南 2025 版")
DANGER_SYSTOLIC = Threshold(Decimal(180), "mmHg", date(2025, 1, 1), _GUIDELINE, verified=False)
DANGER_DIASTOLIC = Threshold(Decimal(110), "mmHg", date(2025, 1, 1), _GUIDELINE, verified=False)


@dataclass(frozen=True, slots=True)
class Danger:
    """A value that must not wait: what was found and what to ask and do now."""

    title: str
    advice: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a set of measurements: a sentence per field, for what cannot be and for what must be confirmed."""

    impossible: dict[str, str]
    doubtful: dict[str, str]


def faults_of(values: Mapping[str, Decimal]) -> Faults:
    """Every fault of what was measured at once, in the reader's language; a value outside `possible` or without its pair is
    impossible, one outside `plausible` doubtful."""
    impossible: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    if not values:
        impossible["systolic"] = _("请至少填写一项测量值。")
    if ("systolic" in values) != ("diastolic" in values):
        missing = "diastolic" if "systolic" in values else "systolic"
        impossible[missing] = _("请补填，收缩压和舒张压要一起记录。")
    for name, value in values.items():
        sign = SIGNS[name]
        low, high = sign.possible
        facts = {"value": f"{value.normalize():f}", "low": low, "high": high, "unit": _(sign.unit)}
        if not low <= value <= high:
            impossible[name] = _("应在 %(low)s–%(high)s %(unit)s 之间，请核对后重新填写。") % facts
        elif not sign.plausible[0] <= value <= sign.plausible[1]:
            doubtful[name] = _("%(value)s %(unit)s 不常见。请复测或核对；确认无误请勾选“数值已核对”。") % facts
    if {"systolic", "diastolic"} <= values.keys() - impossible.keys() and values["systolic"] <= values["diastolic"]:
        impossible["diastolic"] = _("舒张压应低于收缩压，请核对两个数是否填反。")
        doubtful.pop("diastolic", None)
    return Faults(impossible, doubtful)


# 国家基本公共卫生服务规范（第三版）: pregnant or nursing with a pressure above normal is referred now; 140/90 as everywhere in the house.
_PUBLIC_HEALTH = gettext_noop("国家基本公共卫生服务规范（第三版）高血压患者健康管理")
EXPECTING_SYSTOLIC = Threshold(Decimal(140), "mmHg", date(2017, 2, 28), _PUBLIC_HEALTH, verified=False)
EXPECTING_DIASTOLIC = Threshold(Decimal(90), "mmHg", date(2017, 2, 28), _PUBLIC_HEALTH, verified=False)


def danger_of(*, systolic: Decimal | None, diastolic: Decimal | None, expecting: bool = False) -> Danger | None:
    """The danger rule: 180 or 110 mmHg and above asks for the emergency signs at once; None below.

    Of somebody who is pregnant or nurses (`expecting`) 140 or 90 mmHg is danger. Source: 国家基层高血压防治管理指南 2025 版 (immediate
    referral with acute symptoms), 国家基本公共卫生服务规范（第三版） for mothers.
    """
    if expecting and (danger := _danger_of_mother(systolic, diastolic)) is not None:
        return danger
    high = systolic is not None and systolic >= DANGER_SYSTOLIC.value
    low = diastolic is not None and diastolic >= DANGER_DIASTOLIC.value
    if not (high or low):
        return None
    return Danger(
        title=_("血压 %(systolic)s/%(diastolic)s mmHg，达到危险水平（≥180/110 mmHg）")
        % {"systolic": systolic or "—", "diastolic": diastolic or "—"},
        # The signs are those of the county hypertension schemes.
        advice=_(
            "请立即询问并检查：意识丧失或模糊；剧烈头痛或呕吐；突发言语或肢体障碍；持续胸痛或背痛；下肢水肿、呼吸困难或不能平卧。"
            "任何一项存在，就地处置并立即紧急上转；都不存在，安静休息后复测，并在当日内由医师决定处理。"
        ),
        source=_(DANGER_SYSTOLIC.source),
        verified=DANGER_SYSTOLIC.verified,
    )


def _danger_of_mother(systolic: Decimal | None, diastolic: Decimal | None) -> Danger | None:
    high = systolic is not None and systolic >= EXPECTING_SYSTOLIC.value
    low = diastolic is not None and diastolic >= EXPECTING_DIASTOLIC.value
    if not (high or low):
        return None
    return Danger(
        title=_("妊娠或哺乳期，血压 %(systolic)s/%(diastolic)s mmHg（≥140/90 mmHg）")
        % {"systolic": systolic or "—", "diastolic": diastolic or "—"},
        advice=_(
            "请立即询问并检查：头痛、视物模糊、上腹痛、恶心呕吐、水肿、抽搐、胎动减少、阴道流血。任何一项存在或血压 ≥160/110 mmHg，"
            "就地处置并立即经孕产妇绿色通道上转；都不存在，安静休息后复测，当日转诊到产科或高血压门诊，2 周内随访转诊结果。"
        ),
        source=_(EXPECTING_SYSTOLIC.source),
        verified=EXPECTING_SYSTOLIC.verified,
    )


def danger_of_latest(pressures: list[tuple[datetime, float, float]], *, expecting: bool = False) -> Danger | None:
    """The danger of the newest of several pressures, given oldest first; None when there is none."""
    if not pressures:
        return None
    _at, high, low = pressures[-1]
    return danger_of(systolic=Decimal(f"{high:g}"), diastolic=Decimal(f"{low:g}"), expecting=expecting)
