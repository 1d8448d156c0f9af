"""Long courses of the people of the demonstration: values of several laboratories with their own ranges, problems, papers, and entries that are not said aloud."""

import base64
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from doorstep.demo.county import heroes
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.actions import publish_new
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.web.formats import CHINA
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.models import Resident

ATC = "http://www.whocc.no/atc"
_SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_TOWNSHIP, _COUNTY, _SECOND = heroes.HOME_UNIT, heroes.TERTIARY_HOSPITAL, heroes.SECONDARY_HOSPITAL
_MALE_CREATININE = {_TOWNSHIP: (57, 111), _COUNTY: (53, 106)}
_DIABETIC, _KIDNEY_PATIENT, _DAUGHTER = 2, 6, heroes.DAUGHTER


@dataclass(frozen=True, slots=True)
class Course:
    """Values of one laboratory: (days before today, value) with its unit and its range. All figures are invented."""

    resident_id: int
    code: str
    name: str
    unit: str
    laboratory: int
    low: float | None
    high: float | None
    values: tuple[tuple[int, float], ...]


def _creatinine(resident_id: int, laboratory: int, *values: tuple[int, float]) -> Course:
    low, high = _MALE_CREATININE[laboratory]
    return Course(resident_id, "14682-9", "肌酐", "umol/L", laboratory, low, high, values)


_COURSES = (
    # 王德福: diabetes of nine years and a kidney that fails slowly, measured in three houses.
    _creatinine(_KIDNEY_PATIENT, _TOWNSHIP, (1090, 92), (900, 98), (720, 104), (540, 112), (360, 118), (180, 127), (45, 134)),
    _creatinine(_KIDNEY_PATIENT, _COUNTY, (1000, 95), (640, 109), (300, 123), (20, 138)),
    Course(_KIDNEY_PATIENT, "2160-0", "肌酐", "mg/dL", _SECOND, 0.67, 1.17, ((800, 1.14), (420, 1.31))),
    Course(_KIDNEY_PATIENT, "33914-3", "估算肾小球滤过率", "mL/min/{1.73_m2}", _COUNTY, 90, None,
           ((1000, 68), (640, 58), (300, 50), (20, 43))),
    Course(_KIDNEY_PATIENT, "33914-3", "估算肾小球滤过率", "mL/min/{1.73_m2}", _TOWNSHIP, 90, None,
           ((900, 66), (540, 56), (180, 48), (45, 45))),
    Course(_KIDNEY_PATIENT, "14959-1", "尿微量白蛋白/肌酐", "mg/g", _COUNTY, None, 30, ((1000, 46), (640, 118), (300, 236), (20, 412))),
    Course(_KIDNEY_PATIENT, "2823-3", "钾", "mmol/L", _COUNTY, 3.5, 5.3, ((640, 4.4), (300, 4.9), (20, 5.4))),
    Course(_KIDNEY_PATIENT, "718-7", "血红蛋白", "g/L", _COUNTY, 130, 175, ((1000, 138), (300, 124), (20, 112))),
    Course(_KIDNEY_PATIENT, "718-7", "血红蛋白", "g/dL", _SECOND, 13.0, 17.5, ((420, 12.9),)),
    Course(_KIDNEY_PATIENT, "4548-4", "糖化血红蛋白", "%", _COUNTY, 4.0, 6.0, ((1000, 8.4), (640, 8.1), (300, 7.6), (20, 7.2))),
    # 刘建国: glucose comes down, twice a year at the township, once a year at the county hospital.
    Course(_DIABETIC, "4548-4", "糖化血红蛋白", "%", _TOWNSHIP, 4.0, 6.5, ((1050, 9.1), (860, 8.3), (680, 7.7), (500, 7.2), (320, 6.9), (130, 6.8))),
    Course(_DIABETIC, "4548-4", "糖化血红蛋白", "%", _COUNTY, 4.0, 6.0, ((960, 8.6), (590, 7.4), (220, 6.7))),
    Course(_DIABETIC, "14771-0", "空腹葡萄糖", "mmol/L", _COUNTY, 3.9, 6.1, ((960, 10.2), (590, 8.0), (220, 6.6))),
    Course(_DIABETIC, "22748-8", "低密度脂蛋白胆固醇", "mmol/L", _COUNTY, None, 3.4, ((960, 3.9), (590, 3.1), (220, 2.4))),
    _creatinine(_DIABETIC, _COUNTY, (960, 71), (590, 74), (220, 73)),
    # 周桂兰: pressure of eight years, fats and kidneys watched.
    Course(heroes.HEROINE, "22748-8", "低密度脂蛋白胆固醇", "mmol/L", _COUNTY, None, 3.4, ((900, 4.1), (520, 3.6), (150, 3.2))),
    Course(heroes.HEROINE, "14682-9", "肌酐", "umol/L", _TOWNSHIP, 41, 81, ((900, 62), (520, 66), (150, 69))),
    Course(heroes.HEROINE, "2823-3", "钾", "mmol/L", _COUNTY, 3.5, 5.3, ((520, 4.1), (150, 3.4))),
)  # fmt: skip

# Resident, ICD-10, name, days since it began and since it was over, the unit, sensitive.
_PROBLEMS: tuple[tuple[int, str, str, int, int | None, int, bool], ...] = (
    (_KIDNEY_PATIENT, "N18.300", "慢性肾脏病 3 期", 640, None, _COUNTY, False),
    (_KIDNEY_PATIENT, "J18.900", "社区获得性肺炎", 470, 452, _SECOND, False),
    (_DIABETIC, "J20.900", "急性支气管炎", 380, 369, _TOWNSHIP, False),
    (heroes.HEROINE, "F41.900", "焦虑障碍", 1480, 1010, _COUNTY, True),
    (_DAUGHTER, "O04.900", "药物流产后", 760, 744, _COUNTY, True),
)
# Resident, medicine, ATC, dosage, days since begun and since stopped, unit, sensitive.
_MEDICINES: tuple[tuple[int, str, str, str, int, int | None, int, bool], ...] = (
    (_KIDNEY_PATIENT, "达格列净片 10mg", "A10BK01", "10mg，每日 1 次", 290, None, _COUNTY, False),
    (_KIDNEY_PATIENT, "左氧氟沙星片 0.5g", "J01MA12", "0.5g，每日 1 次", 470, 460, _SECOND, False),
    (heroes.HEROINE, "舍曲林片 50mg", "N06AB06", "50mg，每日 1 次", 1470, 1020, _COUNTY, True),
)


def write_courses(*, today: date, actor: Actor) -> int:
    """Write every course into the record, with versions and search index; returns how many entries there are."""
    people = {one.id: one for one in Resident.objects.filter(id__lte=max(_KIDNEY_PATIENT, _DAUGHTER, _DIABETIC))}
    houses = {one.id: one for one in organizations.several(ids=[_TOWNSHIP, _COUNTY, _SECOND])}
    writer = _Writer(today, people, houses)
    made = [*writer.values(), *writer.problems(), *writer.medicines(), *writer.papers()]
    publish_new(made, actor=actor)
    return len(made)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Turns the tables into resources of their residents and units."""

    today: date
    people: dict[int, Resident]
    houses: dict[int, Any]

    def values(self) -> Iterator[tuple[Published, int]]:
        """An Observation for each value, with the range of the laboratory that made it."""
        for course in _COURSES:
            for days, value in course.values:
                yield self._own(self._observation(course, days, value), course.resident_id, course.laboratory, days)

    def problems(self) -> Iterator[tuple[Published, int]]:
        """Diagnoses beside those of the county's own history."""
        for resident_id, code, name, begun, over, house, sensitive in _PROBLEMS:
            state = "active" if over is None else "resolved"
            content: elements.Json = {
                "resourceType": "Condition",
                "id": _key(resident_id, code),
                "clinicalStatus": elements.concept(systems.CONDITION_CLINICAL, state),
                "code": elements.concept(systems.ICD10, code, name),
                "subject": self._patient(resident_id),
                "onsetDateTime": self._day(begun),
                "recordedDate": self._day(begun),
                "recorder": elements.reference("Organization", self.houses[house].key, self.houses[house].name),
            }
            if over is not None:
                content["abatementDateTime"] = self._day(over)
            yield self._own(content, resident_id, house, begun, sensitive=sensitive, category="condition")

    def medicines(self) -> Iterator[tuple[Published, int]]:
        """Prescriptions beside the long-term ones of the county's own history."""
        for resident_id, name, atc, dosage, begun, stopped, house, sensitive in _MEDICINES:
            content: elements.Json = {
                "resourceType": "MedicationStatement",
                "id": _key(resident_id, atc),
                "status": "active" if stopped is None else "completed",
                "medicationCodeableConcept": {"coding": [elements.coding(ATC, atc, name)], "text": name},
                "subject": self._patient(resident_id),
                "effectivePeriod": elements.period(
                    self.today - timedelta(days=begun),
                    None if stopped is None else self.today - timedelta(days=stopped),
                ),
                "dosage": [{"text": dosage}],
            }
            yield self._own(content, resident_id, house, begun, sensitive=sensitive, category="medication")

    def papers(self) -> Iterator[tuple[Published, int]]:
        """A report of the laboratory with its results, a picture, a plan."""
        resident_id, house = _KIDNEY_PATIENT, _COUNTY
        results = [course for course in _COURSES if course.resident_id == resident_id and course.laboratory == house]
        newest = [
            _key(resident_id, one.code, house, 20) for one in results if any(days == 20 for days, _ in one.values)
        ]
        unit = elements.reference("Organization", self.houses[house].key, self.houses[house].name)
        report: elements.Json = {
            "resourceType": "DiagnosticReport",
            "id": _key(resident_id, "report"),
            "status": "final",
            "code": elements.text_concept("肾功能全套"),
            "subject": self._patient(resident_id),
            "effectiveDateTime": self._instant(20),
            "performer": [unit],
            "result": [elements.reference("Observation", key) for key in newest],
            "conclusion": "肌酐较上次升高，尿白蛋白持续升高，符合慢性肾脏病进展，建议肾内科随诊。",
        }
        yield self._own(report, resident_id, house, 20, category="laboratory")
        picture: elements.Json = {
            "resourceType": "Media",
            "id": _key(resident_id, "picture"),
            "status": "completed",
            "subject": self._patient(resident_id),
            "createdDateTime": self._instant(20),
            "bodySite": elements.text_concept("右肾"),
            "content": {"contentType": "image/png", "title": "肾脏超声示意", "data": _picture()},
            "note": [{"text": "右肾 92 mm × 44 mm，皮质回声增强。"}],
        }
        yield self._own(picture, resident_id, house, 20, category="imaging")
        plan: elements.Json = {
            "resourceType": "CarePlan",
            "id": _key(resident_id, "plan"),
            "status": "active",
            "intent": "plan",
            "title": "慢性肾脏病随访计划",
            "subject": self._patient(resident_id),
            "period": elements.period(self.today - timedelta(days=20)),
            "activity": [
                {"detail": {"status": "scheduled", "description": text}}
                for text in (
                    "每 3 个月复查肌酐、血钾、尿微量白蛋白/肌酐",
                    "血压控制在 130/80 mmHg 以下",
                    "避免使用非甾体抗炎药",
                )
            ],
        }
        yield self._own(plan, resident_id, house, 19, category="plan")

    def _observation(self, course: Course, days: int, value: float) -> elements.Json:
        house = self.houses[course.laboratory]
        bounds = {"low": course.low, "high": course.high}
        return {
            "resourceType": "Observation",
            "id": _key(course.resident_id, course.code, course.laboratory, days),
            "status": "final",
            "category": [elements.concept(systems.OBSERVATION_CATEGORY, "laboratory", "Laboratory")],
            "code": elements.concept(systems.LOINC, course.code, "", course.name),
            "subject": self._patient(course.resident_id),
            "effectiveDateTime": self._instant(days),
            "performer": [elements.reference("Organization", house.key, house.name)],
            "valueQuantity": elements.quantity(value, course.unit, course.unit),
            "referenceRange": [
                {
                    side: elements.quantity(bound, course.unit, course.unit)
                    for side, bound in bounds.items()
                    if bound is not None
                }
            ],
        }

    def _own(
        self,
        content: elements.Json,
        resident_id: int,
        house: int,
        days: int,
        *,
        sensitive: bool = False,
        category: str = "laboratory",
    ) -> tuple[Published, int]:
        if sensitive:
            content = {**content, "meta": {"security": [elements.coding(_SENSITIVITY, "R", "restricted")]}}
        published = Published(
            content=elements.compact(content),
            organization_id=house,
            occurred_at=self._at(days),
            category=category,
            sensitive=sensitive,
        )
        return published, resident_id

    def _patient(self, resident_id: int) -> elements.Json:
        return elements.reference("Patient", self.people[resident_id].key, self.people[resident_id].name)

    def _at(self, days: int) -> datetime:
        return datetime.combine(self.today - timedelta(days=days), time(8, 30), tzinfo=CHINA)

    def _instant(self, days: int) -> str:
        return elements.instant(self._at(days))

    def _day(self, days: int) -> str:
        return (self.today - timedelta(days=days)).isoformat()


def _key(*parts: object) -> str:
    root: UUID = NAMESPACE_URL
    return str(uuid5(root, "/".join(["doorstep-demo-course", *map(str, parts)])))


def _picture(width: int = 240, height: int = 160) -> str:
    """A drawn fan of grey with an ellipse in it, as PNG in base64: it shows where a picture stands, and is nobody's kidney."""
    lines = []
    for y in range(height):
        line = bytearray([0])
        for x in range(width):
            across, down = (x - width / 2) / (width / 2), y / height
            inside = ((x - 120) / 62) ** 2 + ((y - 86) / 34) ** 2
            grey = 0 if abs(across) > 0.25 + 0.7 * down else 46 + (x * 7 + y * 13) % 18
            line.append(grey if grey == 0 or inside > 1 else 96 + int(60 * (1 - inside)))
        lines.append(bytes(line))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
