"""The people of the demonstration: the same in every county, whatever its seed and size.

Practitioners have the ids 1–21, residents 1–12 in households 1–5. Birth dates of residents follow `today`, so that the
heroine is always 63.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from doorstep.demo.county.identifiers import national_id
from doorstep.demo.county.organizations import CARE_HOME

VILLAGE_DOCTOR = 1
TOWNSHIP_DUTY_DOCTOR = 2
FAMILY_DOCTOR = 3
TEAM_NURSE = 4
PUBLIC_HEALTH_DOCTOR = 5
ECG_READER = 6
SECOND_ECG_READER = 7
CARDIOLOGY_EXPERT = 8
REFERRAL_OFFICER = 9
LEAD_DUTY_DOCTOR = 10
MANAGER = 11
AUDITOR = 12
ENGINEER = 13
REGISTRAR = 14
SUPERVISOR = 15
STRANGER_VILLAGE_DOCTOR = 16
DESK_OPERATOR = 17
KIOSK = 18
CLINIC_MANAGER = 19
CARE_NURSE = 20
REHABILITATION_DOCTOR = 21

HEROINE = 1
HUSBAND = 2
DAUGHTER = 3

TEAM = 1
HOME_UNIT = 16
HOME_CLINIC = 49
STRANGER_CLINIC = 58
SECONDARY_HOSPITAL = 10
TERTIARY_HOSPITAL = 2
REHABILITATION_HOSPITAL = 7


@dataclass(frozen=True, slots=True)
class HeroPractitioner:
    """`posts`: (organisation id, department key or "", role key, from)."""

    id: int
    name: str
    male: bool
    birth: date
    title: str
    specialty: str
    posts: tuple[tuple[int, str, str, date], ...]


@dataclass(frozen=True, slots=True)
class HeroResident:
    """A resident of the demonstration; `diseases` names keys of `diseases.DISEASES` with years since onset."""

    id: int
    household: int
    relation: str
    name: str
    male: bool
    birth: date
    phone: str
    diseases: tuple[tuple[str, float], ...]
    pregnant: bool = False

    @property
    def national_id(self) -> str:
        """Valid, and never dealt to anybody else: ranks from 440 on are the heroes'."""
        return national_id(self.birth, male=self.male, rank=440)


# Where the heroes' households live: (index of the place, 组).
HOUSEHOLD_PLACES = ((0, 3), (213, 1), (0, 5), (0, 8), (1, 2))


def hero_practitioners() -> tuple[HeroPractitioner, ...]:
    """The people, and one machine, whose accounts the demonstration prints, in the order of their ids."""
    lead, ecg = TERTIARY_HOSPITAL, 271
    day = date
    return (
        _one(1, "李长河", True, day(1971, 5, 18), "乡村医生", "全科",
             (HOME_CLINIC, "", "village_doctor", day(1998, 7, 1))),
        _one(2, "陈立新", True, day(1982, 9, 3), "主治医师", "全科",
             (HOME_UNIT, "general_practice", "township_duty", day(2012, 3, 1))),
        _one(3, "何文静", False, day(1980, 2, 25), "副主任医师", "全科",
             (HOME_UNIT, "general_practice", "family_doctor", day(2010, 8, 1))),
        _one(4, "罗小燕", False, day(1990, 11, 9), "主管护师", "护理",
             (HOME_UNIT, "nursing", "nurse", day(2014, 7, 1))),
        _one(5, "谭志强", True, day(1985, 6, 30), "公卫主管医师", "公共卫生",
             (HOME_UNIT, "public_health", "family_doctor", day(2015, 9, 1))),
        _one(6, "许明哲", True, day(1984, 1, 14), "主治医师", "心电诊断",
             (ecg, "ecg", "ecg_reader", day(2019, 3, 1)), (lead, "ecg", "ecg_reader", day(2011, 7, 1))),
        _one(7, "沈雅琴", False, day(1978, 4, 7), "副主任医师", "心电诊断",
             (ecg, "ecg", "ecg_reader", day(2019, 3, 1)), (lead, "ecg", "ecg_reader", day(2004, 7, 1))),
        _one(8, "宋怀远", True, day(1968, 10, 21), "主任医师", "心血管内科",
             (lead, "cardiology", "specialist", day(1993, 7, 1)),
             (HOME_UNIT, "general_practice", "specialist", day(2022, 1, 1))),
        _one(9, "彭丽君", False, day(1986, 12, 2), "主管护师", "转诊协调",
             (lead, "referral", "referral_officer", day(2019, 3, 1))),
        _one(10, "范国栋", True, day(1979, 8, 16), "副主任医师", "急诊医学",
             (lead, "emergency", "lead_duty", day(2006, 7, 1))),
        _one(11, "曾庆明", True, day(1972, 3, 5), "主任医师", "医院管理",
             (lead, "administration", "manager", day(2019, 3, 1))),
        _one(12, "孟晓岚", False, day(1983, 7, 27), "审计师", "审计",
             (lead, "administration", "auditor", day(2019, 3, 1))),
        _one(13, "秦浩然", True, day(1991, 5, 11), "工程师", "信息技术",
             (lead, "information", "engineer", day(2016, 7, 1))),
        _one(14, "袁小梅", False, day(1992, 9, 19), "护师", "挂号收费",
             (lead, "registration", "registrar", day(2017, 7, 1)),
             (lead, "registration", "records_officer", day(2023, 3, 1))),
        _one(15, "邹卫东", True, day(1975, 12, 12), "主任科员", "卫生监督",
             (1, "supervision", "supervisor", day(2008, 1, 1))),
        _one(16, "龙大山", True, day(1969, 2, 8), "乡村医生", "全科",
             (STRANGER_CLINIC, "", "village_doctor", day(1996, 7, 1))),
        _one(17, "江雪琴", False, day(1988, 10, 16), "护师", "门诊服务",
             (lead, "registration", "clinic_desk", day(2018, 5, 1))),
        *_later_practitioners(),
    )  # fmt: skip


def _later_practitioners() -> tuple[HeroPractitioner, ...]:
    lead, day = TERTIARY_HOSPITAL, date
    return (
        # A machine in the hall has an account and a post like those who work there, and what a row of them must say.
        _one(18, "自助机一号", True, day(1990, 1, 1), "", "",
             (lead, "registration", "kiosk", day(2023, 6, 1))),
        _one(19, "凌志华", False, day(1981, 4, 12), "副主任护师", "门诊管理",
             (lead, "registration", "clinic_manager", day(2020, 3, 1))),
        _one(20, "梁春兰", False, day(1983, 3, 14), "主管护师", "养老护理",
             (CARE_HOME, "nursing", "care_home_nurse", day(2020, 6, 1))),
        # A house for rehabilitation is small: who treats also answers the referrals that come in.
        _one(21, "苏启明", True, day(1979, 7, 8), "副主任医师", "康复医学",
             (REHABILITATION_HOSPITAL, "rehabilitation", "specialist", day(2009, 7, 1)),
             (REHABILITATION_HOSPITAL, "referral", "referral_officer", day(2021, 3, 1))),
    )  # fmt: skip


def hero_residents(today: date) -> tuple[HeroResident, ...]:
    """The twelve residents of the demonstration, in the order of their ids."""
    born = _born(today)
    return (
        HeroResident(1, 1, "spouse", "周桂兰", False, born(63, 3, 12), "15410000001", (("hypertension", 8.2),)),
        HeroResident(
            2, 1, "head", "刘建国", True, born(66, 8, 1), "15410000002", (("hypertension", 5.1), ("diabetes", 4.3))
        ),
        HeroResident(3, 2, "spouse", "刘敏", False, born(37, 5, 20), "15410000003", ()),
        HeroResident(4, 2, "head", "孙伟", True, born(39, 1, 9), "15410000004", ()),
        HeroResident(5, 2, "child", "孙梓涵", False, born(5, 10, 2), "15410000003", ()),
        HeroResident(6, 3, "head", "王德福", True, born(71, 11, 23), "15410000006",
                     (("coronary", 3.6), ("diabetes", 9.0))),
        HeroResident(7, 3, "spouse", "杨秀英", False, born(69, 2, 14), "15410000006",
                     (("stroke", 2.4), ("hypertension", 11.0))),
        HeroResident(8, 4, "head", "张永清", True, born(68, 6, 17), "15410000008", (("copd", 6.5),)),
        HeroResident(9, 4, "child", "张海涛", True, born(33, 4, 4), "15410000009", (("mental", 7.2),)),
        HeroResident(10, 5, "spouse", "陈晓燕", False, born(28, 9, 28), "15410000010", (), pregnant=True),
        HeroResident(11, 5, "head", "黄志勇", True, born(31, 7, 7), "15410000011", ()),
        HeroResident(12, 5, "parent", "赵满英", False, born(57, 12, 30), "15410000012", (("hypertension", 1.3),)),
    )  # fmt: skip


def _one(  # noqa: PLR0917 - a table of people reads best as rows
    number: int,
    name: str,
    male: bool,
    birth: date,
    title: str,
    specialty: str,
    *posts: tuple[int, str, str, date],
) -> HeroPractitioner:
    return HeroPractitioner(number, name, male, birth, title, specialty, posts)


def _born(today: date) -> Callable[[int, int, int], date]:
    """Gives the birth date of a person who has a given age today and a fixed birthday."""

    def birth(age: int, month: int, day: int) -> date:
        had_birthday = (today.month, today.day) >= (month, day)
        return date(today.year - age - (0 if had_birthday else 1), month, day)

    return birth
