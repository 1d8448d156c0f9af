"""The made-up map of 禾川县: a county seat of nine streets inside a ring of 24 townships, places and grids.

The map is a square of about 45 km. Every primary unit is a centre; its area is what is nearer to it than to any other
centre (a Voronoi cell), so "nearest first" holds by construction. Village points lie within 5 km of their centre, the
service circle that the consortium promises. Coordinates are plausible for southern China and describe no real place.
"""

from dataclasses import dataclass
from math import cos, hypot, radians

import numpy as np

from doorstep.demo.county.identifiers import REGION_CODE

COUNTY_LATITUDE = 27.55
COUNTY_LONGITUDE = 113.2
KM_PER_DEGREE = 111.32
CIRCLE_KM = 5.0
VILLAGE_POINTS = 213
NEIGHBOURHOODS_PER_STREET = 3

TOWNSHIP_NAMES = (
    ("清溪镇", "Qingxi Town"), ("白鹭镇", "Bailu Town"), ("枫桥镇", "Fengqiao Town"), ("龙井镇", "Longjing Town"),
    ("云岭乡", "Yunling Township"), ("双塘镇", "Shuangtang Town"), ("茶亭镇", "Chating Town"),
    ("青石镇", "Qingshi Town"), ("沙洲乡", "Shazhou Township"), ("竹坪乡", "Zhuping Township"),
    ("黄泥镇", "Huangni Town"), ("东岸镇", "Dong'an Town"), ("长坡镇", "Changpo Town"), ("梅林镇", "Meilin Town"),
    ("高桥镇", "Gaoqiao Town"), ("大垅乡", "Dalong Township"), ("栗山镇", "Lishan Town"),
    ("水口镇", "Shuikou Town"), ("南塔乡", "Nanta Township"), ("燕岩镇", "Yanyan Town"),
    ("樟树镇", "Zhangshu Town"), ("新田镇", "Xintian Town"), ("石塘乡", "Shitang Township"), ("荷叶镇", "Heye Town"),
)  # fmt: skip
STREET_NAMES = (
    ("城关街道", "Chengguan Street"), ("滨江街道", "Binjiang Street"), ("文峰街道", "Wenfeng Street"),
    ("东门街道", "Dongmen Street"), ("学府街道", "Xuefu Street"), ("西河街道", "Xihe Street"),
    ("南岗街道", "Nangang Street"), ("北苑街道", "Beiyuan Street"), ("新城街道", "Xincheng Street"),
)  # fmt: skip
_FIRST = "石柳杨桃李松竹梅荷稻禾茶柏枫桂樟兰菊莲麦"
_FIRST_PINYIN = (
    "shi", "liu", "yang", "tao", "li", "song", "zhu", "mei", "he", "dao", "he", "cha", "bai", "feng", "gui",
    "zhang", "lan", "ju", "lian", "mai",
)  # fmt: skip
_SECOND = "桥塘坪冲湾坳岭坡背溪井田园洲铺山垄口"
_SECOND_PINYIN = (
    "qiao", "tang", "ping", "chong", "wan", "ao", "ling", "po", "bei", "xi", "jing", "tian", "yuan", "zhou", "pu",
    "shan", "long", "kou",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A village or a neighbourhood: where residents live.

    `code` has 12 digits in the form of GB/T 10114; `unit` is the index of its primary unit (0–32); `weight` is its
    share of the population; `groups` the number of its groups (组); grids are numbered inside the place.
    """

    index: int
    code: str
    name: str
    name_en: str
    unit: int
    is_village: bool
    latitude: float
    longitude: float
    weight: float
    groups: int


@dataclass(frozen=True, slots=True)
class Area:
    """The area of one primary unit: a township or a street with its centre and its 9-digit code."""

    index: int
    code: str
    name: str
    name_en: str
    is_street: bool
    latitude: float
    longitude: float


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two (latitude, longitude) points on the flat map, right to a few metres inside one county."""
    north = (a[0] - b[0]) * KM_PER_DEGREE
    east = (a[1] - b[1]) * KM_PER_DEGREE * cos(radians(COUNTY_LATITUDE))
    return hypot(north, east)


def draw_areas(rng: np.random.Generator) -> tuple[Area, ...]:
    """The 24 townships (index 0–23) and the 9 streets (24–32)."""
    ring = [(column, row) for row in range(-2, 3) for column in range(-2, 3) if (column, row) != (0, 0)]
    seat = [(column, row) for row in range(-1, 2) for column in range(-1, 2)]
    areas: list[Area] = []
    for number, (column, row) in enumerate(ring):
        east, north = rng.uniform(-1.6, 1.6, 2)
        latitude, longitude = _point(column * 9.0 + float(east), row * 9.0 + float(north))
        name, name_en = TOWNSHIP_NAMES[number]
        areas.append(
            Area(
                number,
                f"{REGION_CODE}{100 + number:03d}",
                name,
                name_en,
                False,
                latitude,
                longitude,
            )
        )
    for number, (column, row) in enumerate(seat):
        east, north = rng.uniform(-0.5, 0.5, 2)
        latitude, longitude = _point(column * 2.2 + float(east), row * 2.2 + float(north))
        name, name_en = STREET_NAMES[number]
        areas.append(
            Area(
                24 + number,
                f"{REGION_CODE}{1 + number:03d}",
                name,
                name_en,
                True,
                latitude,
                longitude,
            )
        )
    return tuple(areas)


def draw_places(rng: np.random.Generator, areas: tuple[Area, ...]) -> tuple[Place, ...]:
    """The 213 villages of the townships, then three neighbourhoods for each street."""
    places: list[Place] = []
    names = _village_names()
    for area in areas[:24]:
        count = VILLAGE_POINTS // 24 + (1 if area.index < VILLAGE_POINTS % 24 else 0)
        for number in range(count):
            name, name_en = names[len(places)]
            latitude, longitude = _village_point(rng, area, areas)
            weight = float(np.exp(rng.normal(0.0, 0.35)))
            code = f"{area.code}{200 + number:03d}"
            groups = int(rng.integers(8, 21))
            places.append(
                Place(
                    len(places),
                    code,
                    name,
                    name_en,
                    area.index,
                    True,
                    latitude,
                    longitude,
                    weight,
                    groups,
                )
            )
    for area in areas[24:]:
        for number in range(NEIGHBOURHOODS_PER_STREET):
            offset = rng.uniform(-0.006, 0.006, 2)
            places.append(_neighbourhood(len(places), number, area, (float(offset[0]), float(offset[1]))))
    return tuple(places)


def _neighbourhood(index: int, number: int, area: Area, offset: tuple[float, float]) -> Place:
    label, label_en = (("一", "First"), ("二", "Second"), ("三", "Third"))[number]
    return Place(
        index,
        f"{area.code}{1 + number:03d}",
        f"{area.name[:-2]}第{label}社区",
        f"{area.name_en.removesuffix(' Street')} {label_en} Neighbourhood",
        area.index,
        False,
        round(area.latitude + offset[0], 6),
        round(area.longitude + offset[1], 6),
        3.2,
        24,
    )


def _village_names() -> list[tuple[str, str]]:
    """Distinct names, the same in every county because the division table names them; the first is the heroine's 石桥村."""
    pairs = [
        (f"{a}{b}村", f"{(pa + pb).capitalize()} Village")
        for a, pa in zip(_FIRST, _FIRST_PINYIN, strict=True)
        for b, pb in zip(_SECOND, _SECOND_PINYIN, strict=True)
    ]
    rest = [pairs[int(index)] for index in np.random.default_rng(439981).permutation(np.arange(1, len(pairs)))]
    return [pairs[0], *rest][:VILLAGE_POINTS]


def _village_point(rng: np.random.Generator, area: Area, areas: tuple[Area, ...]) -> tuple[float, float]:
    """A point of the area's own cell between 0.6 and 4.8 km from its centre."""
    centre = (area.latitude, area.longitude)
    while True:
        east, north = rng.uniform(-CIRCLE_KM, CIRCLE_KM, 2)
        scale = KM_PER_DEGREE * cos(radians(COUNTY_LATITUDE))
        point = (
            round(centre[0] + float(north) / KM_PER_DEGREE, 6),
            round(centre[1] + float(east) / scale, 6),
        )
        own = distance_km(point, centre)
        if 0.6 <= own <= 4.8 and all(own <= distance_km(point, (other.latitude, other.longitude)) for other in areas):
            return point


def _point(east_km: float, north_km: float) -> tuple[float, float]:
    scale = KM_PER_DEGREE * cos(radians(COUNTY_LATITUDE))
    return round(COUNTY_LATITUDE + north_km / KM_PER_DEGREE, 6), round(COUNTY_LONGITUDE + east_km / scale, 6)
