"""Wards of the county: beds at the hospitals and at the heroine's township, three patients who may soon go home, and what centres, the care home and the rehabilitation hospital can do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from doorstep.care.referrals.actions import count_stock, save_service
from doorstep.care.referrals.stock_sheet import Counted
from doorstep.coordination.beds.actions import occupy, open_ward, write_round
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.demo.county import heroes
from doorstep.demo.county.county import County
from doorstep.demo.county.organizations import AREA_CENTRES, CARE_HOME, FIRST_PRIMARY, FIRST_VILLAGE
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.people.residents.actions import add_to_panel
from doorstep.people.residents.models import Resident

# Name, kind, number of beds, and the houses that have it.
_WARDS: tuple[tuple[str, str, int, tuple[int, ...]], ...] = (
    ("心血管内科一病区", "general", 12, (heroes.TERTIARY_HOSPITAL,)),
    ("神经内科病区", "general", 10, (heroes.TERTIARY_HOSPITAL,)),
    ("康复医学科病区", "rehab", 8, (heroes.TERTIARY_HOSPITAL, heroes.SECONDARY_HOSPITAL)),
    ("内科病区", "general", 8, (heroes.SECONDARY_HOSPITAL,)),
    ("呼吸与危重症医学科病区", "general", 8, (heroes.TERTIARY_HOSPITAL,)),
    ("康复病区", "rehab", 4, (heroes.HOME_UNIT,)),
    ("住院病区", "general", 6, (heroes.HOME_UNIT, *AREA_CENTRES[1:3])),
    ("照护一区", "care", 6, (CARE_HOME,)),
    ("神经康复病区", "rehab", 8, (heroes.REHABILITATION_HOSPITAL,)),
    ("骨科康复病区", "rehab", 6, (heroes.REHABILITATION_HOSPITAL,)),
)
# A care home nurses and moves, and asks the township's doctors for the rest.
_CARE_SKILLS = ("care", "rehab", "wound", "oxygen", "tube")
# A rehabilitation hospital treats what comes with it, and visits nobody at home.
_REHAB_SKILLS = ("rehab", "wound", "injection", "oxygen", "insulin", "tube", "inr")
_SKILLS = ("rehab", "wound", "injection", "oxygen", "insulin", "home-visit")
_MEDICINES = (
    "aspirin-100", "clopidogrel-75", "atorvastatin-20", "simvastatin-20", "amlodipine-5", "nifedipine-30", "enalapril-10", "valsartan-80",
    "metoprolol-47", "hydrochlorothiazide-25", "metformin-500", "gliclazide-30", "acarbose-50", "salbutamol-inhaled", "isosorbide-20",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Patient:
    """Who lies in which ward for what, with what the ward's doctor said today and the medicines."""

    resident_id: int
    ward: str
    diagnosis: str
    code: str
    said: dict[str, Any]
    medicines: tuple[tuple[str, str, str, str], ...]


_PATIENTS = (
    _Patient(
        7,
        "神经内科病区",
        "脑梗死恢复期",
        "I63.9",
        {
            "systolic": 136,
            "diastolic": 82,
            "pulse": 74,
            "complications_stable": True,
            "deficit_stable": True,
            "no_fever_days": 5,
        },
        (
            ("aspirin-100", "阿司匹林肠溶片 100 mg", "100 mg", "qd"),
            ("atorvastatin-20", "阿托伐他汀钙片 20 mg", "20 mg", "qn"),
        ),
    ),
    _Patient(
        6,
        "心血管内科一病区",
        "冠心病，PCI 术后",
        "I25.1",
        {"systolic": 128, "diastolic": 76, "pulse": 68, "complications_stable": True, "chest_pain_free_days": 2},
        (
            ("ticagrelor-90", "替格瑞洛片 90 mg", "90 mg", "bid"),
            ("rosuvastatin-10", "瑞舒伐他汀钙片 10 mg", "10 mg", "qn"),
        ),
    ),
    _Patient(
        8,
        "呼吸与危重症医学科病区",
        "慢性阻塞性肺疾病急性加重恢复期",
        "J44.1",
        {
            "systolic": 132,
            "diastolic": 78,
            "pulse": 82,
            "spo2": 94,
            "complications_stable": True,
            "no_fever_days": 5,
            "needs_care": True,
        },
        (("salbutamol-inhaled", "硫酸沙丁胺醇吸入气雾剂", "100 μg", "prn"),),
    ),
)


def open_wards(county: County, *, actor: Actor) -> int:
    """Open every ward, lay the three patients into their beds and say what the centres can do; returns how many beds there are."""
    for name, kind, count, houses in _WARDS:
        for unit in houses:
            numbers = [str(number) for number in range(1, count + 1)]
            open_ward(organization_id=unit, name=name, kind=kind, beds=numbers, actor=actor)
    for patient in _PATIENTS:
        _lay_in(patient, actor=actor)
    for house in county.organizations:
        if FIRST_PRIMARY <= house.id < FIRST_VILLAGE and house.kind in ("township_center", "community_center"):
            # Every third centre has no rehabilitation, so that the nearest is not always the one that is asked.
            skills = _SKILLS if house.id == heroes.HOME_UNIT or house.id % 3 else _SKILLS[1:]
            save_service(organization_id=house.id, accepts=True, skills=skills, medicines=_MEDICINES, actor=actor)
            count_stock(organization_id=house.id, lines=_shelf(house.id), actor=actor)
    for unit, can in ((CARE_HOME, _CARE_SKILLS), (heroes.REHABILITATION_HOSPITAL, _REHAB_SKILLS)):
        save_service(organization_id=unit, accepts=True, skills=can, medicines=_MEDICINES, actor=actor)
        count_stock(organization_id=unit, lines=_shelf(unit), actor=actor)
    return Bed.objects.count()


def _shelf(unit: int) -> list[Counted]:
    """What stands on a centre's shelf: every seventh medicine has run out somewhere."""
    return [
        Counted(row, code, code, 0 if (unit + row) % 7 == 0 else 20 + (unit * 13 + row * 7) % 180, "盒")
        for row, code in enumerate(_MEDICINES, start=2)
    ]


def _lay_in(patient: _Patient, *, actor: Actor) -> Stay:
    resident = Resident.objects.get(id=patient.resident_id)
    bed = Bed.objects.filter(ward__name=patient.ward, organization_id=heroes.TERTIARY_HOSPITAL, state="free").order_by(
        "id"
    )[0]
    stay = occupy(bed=bed, resident=resident, actor=actor, diagnosis=patient.diagnosis, diagnosis_code=patient.code)
    access.open_relationship(
        resident_id=resident.id,
        organization_id=heroes.TERTIARY_HOSPITAL,
        reason=CareRelationship.Reason.VISIT,
        episode=f"stay/{stay.key}",
        actor=actor,
    )
    add_to_panel(resident=resident, organization_id=heroes.TERTIARY_HOSPITAL, actor=actor)
    Stay.objects.filter(pk=stay.pk).update(
        admitted_at=timezone.now() - timedelta(days=9), attending_id=heroes.CARDIOLOGY_EXPERT
    )
    return write_round(
        stay=stay,
        said=patient.said,
        medicines=[
            {"code": code, "name": name, "dose": dose, "frequency": frequency, "days": "30"}
            for code, name, dose, frequency in patient.medicines
        ],
        predicted_on=timezone.localdate() + timedelta(days=2),
        actor=actor,
    )
