"""The institutions of 禾川县 and their dated membership in the consortium.

Ids are contiguous and stable: 1 authority, 2–3 lead hospitals, 4–15 secondary hospitals, 16–48 primary units (the order
of the areas), 49–261 village clinics (the order of the places), 262 emergency centre, 263–264 stations, 265–270
substations, 271–273 shared centres, 274 the partner hospital outside the county, 275 the care home.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from doorstep.demo.county.geography import (
    COUNTY_LATITUDE,
    COUNTY_LONGITUDE,
    Area,
    Place,
    distance_km,
)
from doorstep.demo.county.identifiers import credit_code, organization_phone

AUTHORITY, PEOPLES_HOSPITAL, CHINESE_MEDICINE_HOSPITAL = 1, 2, 3
FIRST_SECONDARY, FIRST_PRIMARY, FIRST_VILLAGE = 4, 16, 49
EMERGENCY_CENTER, FIRST_STATION, FIRST_SUBSTATION = 262, 263, 265
ECG_CENTER, IMAGING_CENTER, LABORATORY_CENTER, PARTNER_HOSPITAL = 271, 272, 273, 274
CARE_HOME = 275
FOUNDED = date(2019, 3, 1)
AREA_CENTRES = (16, 19, 24, 30, 34, 38)
LEFT_AND_REJOINED, JOINED_MID_YEAR = 15, 39
HOME_SECONDARY = 10


@dataclass(frozen=True, slots=True)
class Organization:
    """One institution.

    `kind` decides its departments; `type_code` is the FHIR organization-type; `class_code` is the WS 218-2002 class
    with sub-class [from memory, unverified]; `level` is the hospital grade in Chinese, empty where none is given;
    `division_code` has 12 digits; `parent_id` is the next house up the tree.
    """

    id: int
    kind: str
    type_code: str
    name: str
    name_en: str
    class_code: str
    level: str
    parent_id: int | None
    latitude: float
    longitude: float
    division_code: str
    address: str
    phone: str
    credit_code: str
    is_area_centre: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """A span in which an institution belongs to the consortium; `end` is its last day or None."""

    organization_id: int
    role: str
    start: date
    end: date | None


_SECONDARY_NAMES = (
    ("禾川县第二人民医院", "Hechuan Second People's Hospital", "A100"),
    ("禾川县第三人民医院", "Hechuan Third People's Hospital", "A100"),
    ("禾川县妇幼保健院", "Hechuan Maternal and Child Health Hospital", "G100"),
    ("禾川县康复医院", "Hechuan Rehabilitation Hospital", "A514"),
    ("禾川县精神卫生中心", "Hechuan Mental Health Centre", "A515"),
    ("禾川县骨伤医院", "Hechuan Orthopaedic Hospital", "A521"),
    ("禾川县枫桥医院", "Hechuan Fengqiao Hospital", "A100"),
    ("禾川县东岸医院", "Hechuan Dong'an Hospital", "A100"),
    ("禾川县水口医院", "Hechuan Shuikou Hospital", "A100"),
    ("禾川县樟树医院", "Hechuan Zhangshu Hospital", "A100"),
    ("禾川矿区职工医院", "Hechuan Miners' Hospital", "A100"),
    ("禾川仁安医院", "Hechuan Ren'an Hospital", "A100"),
)
_SECONDARY_AREAS = (24, 25, 26, 27, 28, 29, 2, 11, 17, 20, 10, 30)


def organizations(areas: tuple[Area, ...], places: tuple[Place, ...]) -> tuple[Organization, ...]:
    """All 275 institutions in the order of their ids."""
    return (
        *_county_level(),
        *_secondary_hospitals(areas),
        *_primary_units(areas),
        *_village_clinics(areas, places),
        *_emergency(areas),
        *_shared_centers(),
        _care_home(areas),
    )


def memberships(rows: tuple[Organization, ...]) -> Iterator[Membership]:
    """Who belonged to the consortium when: the founders, later waves, one that left and came back, one in mid-year."""
    for row in rows:
        if row.id in (AUTHORITY, PARTNER_HOSPITAL):
            continue
        role = _membership_role(row)
        if row.id == LEFT_AND_REJOINED:
            yield Membership(row.id, role, date(2020, 1, 1), date(2023, 12, 31))
            yield Membership(row.id, role, date(2025, 1, 1), None)
        else:
            yield Membership(row.id, role, joined_on(row), None)


def joined_on(row: Organization) -> date:
    """The day an institution first joined; a village clinic joins with its centre."""
    unit = row.parent_id if row.kind == "village_clinic" and row.parent_id else row.id
    if unit == JOINED_MID_YEAR:
        return date(2024, 7, 1)
    if unit < FIRST_SECONDARY or unit >= EMERGENCY_CENTER or unit in AREA_CENTRES:
        return FOUNDED
    return (FOUNDED, date(2020, 1, 1), date(2021, 4, 15))[unit % 3]


def nearest_secondary(areas: tuple[Area, ...], rows: tuple[Organization, ...]) -> tuple[int, ...]:
    """For every area the id of the nearest general secondary hospital; the first township's is fixed."""
    hospitals = [row for row in rows if row.kind == "secondary_hospital" and row.class_code == "A100"]
    nearest = [
        min(
            hospitals,
            key=lambda row: distance_km((area.latitude, area.longitude), (row.latitude, row.longitude)),
        ).id
        for area in areas
    ]
    return (HOME_SECONDARY, *nearest[1:])


def _membership_role(row: Organization) -> str:
    if row.kind == "tertiary_hospital":
        return "lead"
    if row.is_area_centre:
        return "area_centre"
    return {"village_clinic": "village_point", "secondary_hospital": "member"}.get(row.kind, "member")


def _organization(  # noqa: PLR0917 - a table of houses reads best as rows
    number: int,
    kind: str,
    names: tuple[str, str],
    codes: tuple[str, str],
    parent: int | None,
    where: tuple[float, float],
    place: tuple[str, str],
) -> Organization:
    """`codes` = class and level, `place` = division code and address."""
    type_code = {"health_authority": "govt", "village_clinic": "prov"}.get(kind, "prov")
    department = "52" if kind == "village_clinic" else "12"
    code = credit_code(60_000_000 + number, department=department if number > 1 else "11")
    return Organization(
        number, kind, type_code, *names, *codes, parent, round(where[0], 6), round(where[1], 6), place[0], place[1],
        organization_phone(number), code, number in AREA_CENTRES,
    )  # fmt: skip


def _county_level() -> list[Organization]:
    seat = (COUNTY_LATITUDE, COUNTY_LONGITUDE)
    street = "439981001000"
    return [
        _organization(
            1, "health_authority", ("禾川县卫生健康局", "Hechuan County Health Authority"), ("P", ""), None, seat,
            ("439981000000", "禾川县城关街道文昌路1号"),
        ),
        _organization(
            2, "tertiary_hospital", ("禾川县人民医院", "Hechuan County People's Hospital"), ("A100", "三级甲等"), 1,
            (seat[0] + 0.004, seat[1] - 0.006), (street, "禾川县城关街道人民路88号"),
        ),
        _organization(
            3, "tertiary_hospital", ("禾川县中医医院", "Hechuan County Hospital of Chinese Medicine"),
            ("A210", "三级乙等"), 1, (seat[0] - 0.007, seat[1] + 0.009), (street, "禾川县城关街道杏林路19号"),
        ),
    ]  # fmt: skip


def _secondary_hospitals(areas: tuple[Area, ...]) -> Iterator[Organization]:
    for offset, (name, name_en, class_code) in enumerate(_SECONDARY_NAMES):
        area = areas[_SECONDARY_AREAS[offset]]
        lead = CHINESE_MEDICINE_HOSPITAL if offset % 3 == 2 else PEOPLES_HOSPITAL
        level = "二级乙等" if offset % 4 == 3 else "二级甲等"
        where = (area.latitude + 0.003, area.longitude - 0.004)
        address = f"禾川县{area.name}康宁路{10 + offset}号"
        yield _organization(
            FIRST_SECONDARY + offset, "secondary_hospital", (name, name_en), (class_code, level), lead, where,
            (f"{area.code}000", address),
        )  # fmt: skip


def _primary_units(areas: tuple[Area, ...]) -> Iterator[Organization]:
    for area in areas:
        kind = "community_center" if area.is_street else "township_center"
        suffix = ("社区卫生服务中心", " Community Health Centre") if area.is_street else ("卫生院", " Health Centre")
        name = (area.name[:-2] if area.is_street else area.name) + suffix[0]
        name_en = area.name_en.removesuffix(" Street") + suffix[1]
        class_code = "B100" if area.is_street else "C210" if FIRST_PRIMARY + area.index in AREA_CENTRES else "C220"
        level = "" if area.is_street else "一级甲等"
        lead = CHINESE_MEDICINE_HOSPITAL if area.index % 5 == 4 else PEOPLES_HOSPITAL
        yield _organization(
            FIRST_PRIMARY + area.index, kind, (name, name_en), (class_code, level), lead,
            (area.latitude, area.longitude), (f"{area.code}000", f"禾川县{area.name}健康路{1 + area.index}号"),
        )  # fmt: skip


def _village_clinics(areas: tuple[Area, ...], places: tuple[Place, ...]) -> Iterator[Organization]:
    for place in places:
        if not place.is_village:
            continue
        area = areas[place.unit]
        names = (f"{place.name}卫生室", f"{place.name_en} Clinic")
        yield _organization(
            FIRST_VILLAGE + place.index, "village_clinic", names, ("D600", ""), FIRST_PRIMARY + place.unit,
            (place.latitude, place.longitude), (place.code, f"禾川县{area.name}{place.name}1组1号"),
        )  # fmt: skip


def _emergency(areas: tuple[Area, ...]) -> Iterator[Organization]:
    seat = (COUNTY_LATITUDE, COUNTY_LONGITUDE)
    yield _organization(
        EMERGENCY_CENTER, "emergency_center", ("禾川县急救中心", "Hechuan Emergency Centre"), ("E100", ""), 1, seat,
        ("439981001000", "禾川县城关街道人民路86号"),
    )  # fmt: skip
    for number, index in enumerate((24, 30)):
        area = areas[index]
        label, label_en = (("城东", "East"), ("城西", "West"))[number]
        yield _organization(
            FIRST_STATION + number, "emergency_station", (f"{label}急救站", f"{label_en} Emergency Station"),
            ("E200", ""), EMERGENCY_CENTER, (area.latitude, area.longitude),
            (f"{area.code}000", f"禾川县{area.name}急救站"),
        )  # fmt: skip
    for number, organization_id in enumerate(AREA_CENTRES):
        area = areas[organization_id - FIRST_PRIMARY]
        short = area.name[:-1] if not area.is_street else area.name[:-2]
        yield _organization(
            FIRST_SUBSTATION + number, "emergency_station",
            (f"{short}急救分站", f"{area.name_en.split()[0]} Emergency Substation"), ("E200", ""),
            FIRST_STATION + number % 2, (area.latitude, area.longitude),
            (f"{area.code}000", f"禾川县{area.name}急救分站"),
        )  # fmt: skip


def _shared_centers() -> Iterator[Organization]:
    where = (COUNTY_LATITUDE + 0.004, COUNTY_LONGITUDE - 0.006)
    centers = (
        ("ecg_center", "禾川县心电诊断中心", "Hechuan ECG Diagnosis Centre"),
        ("imaging_center", "禾川县影像诊断中心", "Hechuan Imaging Centre"),
        ("laboratory_center", "禾川县医学检验中心", "Hechuan Laboratory Centre"),
    )
    for offset, (kind, name, name_en) in enumerate(centers):
        yield _organization(
            ECG_CENTER + offset, kind, (name, name_en), ("P", ""), PEOPLES_HOSPITAL, where,
            ("439981001000", "禾川县城关街道人民路88号"),
        )  # fmt: skip
    yield _organization(
        PARTNER_HOSPITAL, "partner_hospital", ("岚江市中心医院", "Lanjiang City Central Hospital"),
        
        ("A100", "三级甲等"), None, (COUNTY_LATITUDE + 0.42, COUNTY_LONGITUDE - 0.31),
        ("439901000000", "岚江市湖滨大道6号"),
    )  # fmt: skip


def _care_home(areas: tuple[Area, ...]) -> Organization:
    """The care home of the heroine's township: a house of civil affairs that has joined the consortium, no medical institution."""
    area = areas[0]
    return _organization(
        CARE_HOME, "care_home", ("清溪颐养院", "Qingxi Care Home"), ("P", ""), PEOPLES_HOSPITAL,
        (area.latitude + 0.006, area.longitude + 0.005), (f"{area.code}000", f"禾川县{area.name}颐养路6号"),
    )  # fmt: skip
