"""Terms, renewal windows and benefits of a contract as data, and the decisions that follow from them. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from doorstep.people.residents.insurance import EMPLOYEE, KINDS, PUBLIC, RURAL_URBAN, SELF_PAY

# 国卫基层发〔2022〕10号: the term is agreed at signing, one to three years.
TERMS = (1, 2, 3)
# Days before the end at which a renewal is asked for; platform default.
RENEWAL_WINDOWS = (60, 30, 7)


@dataclass(frozen=True, slots=True)
class Package:
    """A service package with the yearly fee in yuan and who carries it; a region replaces the figures."""

    code: str
    zh: str
    en: str
    insurance: Decimal
    public_health: Decimal
    resident: Decimal
    source: str
    verified: bool

    @property
    def total(self) -> Decimal:
        """The whole yearly fee in yuan."""
        return self.insurance + self.public_health + self.resident


_PRICES = "各地物价部门核定；此处为演示默认值"
PACKAGES: dict[str, Package] = {
    package.code: package
    for package in (
        Package("basic", "基础包", "Basic", Decimal(0), Decimal(0), Decimal(0), _PRICES, verified=False),
        Package("primary", "初级包", "Primary", Decimal(30), Decimal(20), Decimal(20), _PRICES, verified=False),
        Package("middle", "中级包", "Middle", Decimal(60), Decimal(40), Decimal(100), _PRICES, verified=False),
        Package("high", "高级包", "High", Decimal(80), Decimal(40), Decimal(240), _PRICES, verified=False),
    )
}


def end_of(starts_on: date, years: int) -> date:
    """The last day of a term: the day before the start's anniversary; 29 February counts as 28 February."""
    try:
        anniversary = starts_on.replace(year=starts_on.year + years)
    except ValueError:
        return date(starts_on.year + years, 2, 28)
    return anniversary - timedelta(days=1)


def window_of(days_left: int) -> int | None:
    """The renewal window in days that a contract stands in: 60, 30 or 7; None before the first."""
    return min((days for days in RENEWAL_WINDOWS if days_left <= days), default=None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the benefit rules look at. `age` in full years on `day`."""

    day: date
    age: int
    signed: bool
    critical: bool
    contract_ends_on: date | None = None
    team_name: str = ""
    region: str = ""
    hospital_ids: tuple[int, ...] = ()
    # The basic insurance that was written down (residents.insurance.KINDS); "" when nobody asked.
    insurance: str = ""
    # Which way the patient is referred: "up", "down", "side", "out"; "" where no referral is asked about.
    direction: str = ""


@dataclass(frozen=True, slots=True)
class BenefitRule:
    """One benefit as a versioned datum: who gets it, from when to when, where, and by which text."""

    id: str
    code: str
    version: str
    zh: str
    en: str
    valid_from: date
    source: str
    verified: bool
    valid_to: date | None = None
    region: str = ""
    minimum_age: int | None = None
    only_critical: bool = False
    # The text waives a deductible, which only a fund has: the decision says what insurance was known.
    names_insurance: bool = False
    # A rule of one way of referring: it asks for a fund and for no contract.
    direction: str = ""

    def holds(self, facts: Facts) -> bool:
        """Whether the rule is in force on that day in that region."""
        in_time = self.valid_from <= facts.day and (self.valid_to is None or facts.day <= self.valid_to)
        if self.direction and self.direction != facts.direction:
            return False
        return in_time and (not self.region or facts.region.startswith(self.region))


RULES: tuple[BenefitRule, ...] = (
    BenefitRule(
        id="benefit-priority-slot",
        code="priority-slot",
        version="1",
        zh="优先预约专家号源",
        en="Priority for expert slots",
        valid_from=date(2023, 6, 1),
        source="国卫医政函〔2023〕27号",
        verified=False,
    ),
    BenefitRule(
        id="benefit-green-channel",
        code="green-channel",
        version="1",
        zh="绿色通道转诊",
        en="Green-channel referral",
        valid_from=date(2014, 1, 1),
        source="哈尔滨市第一医院医联体做法（2014—2017）",
        verified=False,
        only_critical=True,
    ),
    BenefitRule(
        id="benefit-treat-first",
        code="treat-first",
        version="1",
        zh="先诊疗后付费、免挂号费、免起付线",
        en="Treat first, pay later; no registration fee; no deductible",
        valid_from=date(2014, 1, 1),
        source="哈尔滨市第一医院医联体做法（2014—2017）",
        verified=False,
        minimum_age=60,
        only_critical=True,
        names_insurance=True,
    ),
    BenefitRule(
        id="benefit-deductible-difference",
        code="deductible-difference",
        version="1",
        zh="上转只补起付线差额",
        en="Up: only the difference of the deductible",
        valid_from=date(2015, 1, 1),
        source="上转补差、下转免收（各统筹区规定）",
        verified=False,
        direction="up",
    ),
    BenefitRule(
        id="benefit-deductible-waived",
        code="deductible-waived",
        version="1",
        zh="下转免收起付线",
        en="Down: no deductible",
        valid_from=date(2015, 1, 1),
        source="上转补差、下转免收（各统筹区规定）",
        verified=False,
        direction="down",
    ),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says of one person on one day, why, and by which text; `inputs` are the values it looked at."""

    code: str
    granted: bool
    zh: str
    en: str
    reason_zh: str
    reason_en: str
    rule_id: str
    version: str
    source: str
    verified: bool
    inputs: tuple[tuple[str, str], ...]
    hospital_ids: tuple[int, ...] = ()


def decide_benefits(facts: Facts, rules: tuple[BenefitRule, ...] = RULES) -> tuple[Decision, ...]:
    """One decision per rule in force, granted or not, each with the reason.

    Sources: 国卫医政函〔2023〕27号 (priority of signed residents); the practice of Harbin First Hospital's consortium 2014 to
    2017 (green channel; over 60, signed and critical: treat first, pay later, no registration fee, no deductible).
    """
    return tuple(_decide(rule, facts) for rule in rules if rule.holds(facts))


def _decide(rule: BenefitRule, facts: Facts) -> Decision:
    checks = [_funded(facts)] if rule.direction else [_signed(facts)]
    if rule.minimum_age is not None:
        checks.append(_old_enough(facts, rule.minimum_age))
    if rule.only_critical:
        checks.append(_critical(facts))
    granted = all(met for met, _zh, _en in checks)
    # A refusal names only what is missing: that is what somebody can change or check.
    told = checks if granted else [check for check in checks if not check[0]]
    if granted and rule.names_insurance:
        told = [*told, _insured(facts)]
    return Decision(
        code=rule.code,
        granted=granted,
        zh=rule.zh,
        en=rule.en,
        reason_zh="；".join(zh for _met, zh, _en in told),
        reason_en="; ".join(en for _met, _zh, en in told),
        rule_id=rule.id,
        version=rule.version,
        source=rule.source,
        verified=rule.verified,
        inputs=(
            ("day", facts.day.isoformat()),
            ("age", str(facts.age)),
            ("signed", str(facts.signed).lower()),
            ("critical", str(facts.critical).lower()),
            *((("insurance", facts.insurance or "unknown"),) if rule.names_insurance or rule.direction else ()),
            *((("direction", facts.direction),) if rule.direction else ()),
        ),
        hospital_ids=facts.hospital_ids,
    )


def _signed(facts: Facts) -> tuple[bool, str, str]:
    if not facts.signed:
        return False, "未签约或签约已到期", "no contract in force"
    until = f"，有效期至 {facts.contract_ends_on.isoformat()}" if facts.contract_ends_on else ""
    until_en = f" until {facts.contract_ends_on.isoformat()}" if facts.contract_ends_on else ""
    return True, f"已签约{facts.team_name}{until}", f"signed with {facts.team_name or 'a team'}{until_en}"


def _old_enough(facts: Facts, minimum: int) -> tuple[bool, str, str]:
    if facts.age >= minimum:
        return True, f"{facts.age} 岁，已满 {minimum} 周岁", f"{facts.age} years old, {minimum} or over"
    return False, f"{facts.age} 岁，未满 {minimum} 周岁", f"{facts.age} years old, under {minimum}"


def _critical(facts: Facts) -> tuple[bool, str, str]:
    if facts.critical:
        return True, "本次为危急情况", "the case is critical"
    return False, "本次不属于危急情况", "the case is not critical"


def _insured(facts: Facts) -> tuple[bool, str, str]:
    """What is known of the insurance, which the text presupposes and does not test: it changes no decision."""
    if not facts.insurance:
        return (
            True,
            "医保未登记，免起付线前请核实参保",
            "insurance not written down: check it before waiving a deductible",
        )
    if facts.insurance == SELF_PAY:
        return True, "登记为自费，没有起付线可免", "pays without insurance: there is no deductible to waive"
    return True, f"医保：{KINDS[facts.insurance]}", f"insured: {_INSURED_EN[facts.insurance]}"


def _funded(facts: Facts) -> tuple[bool, str, str]:
    """Only a fund has a deductible; one that nobody asked about is to be checked before it counts."""
    _met, zh, en = _insured(facts)
    return facts.insurance != SELF_PAY, zh, en


_INSURED_EN = {EMPLOYEE: "employees", RURAL_URBAN: "urban and rural residents", PUBLIC: "public funds"}
