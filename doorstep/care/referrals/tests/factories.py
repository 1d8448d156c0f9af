"""The people of a referral: 周桂兰 is sent by 李长河, answered by 郑岚, treated by 王主任, taken back by 孙医师."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.actions import Consent, Discharge, Findings, Plan
from doorstep.care.referrals.models import Referral
from doorstep.coordination.scheduling.models import Place, Schedule, Slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.people.workforce.models import Practitioner
from doorstep.site.actors import of_user

REPORT = "7d6c5b4a-0000-4000-8000-000000000001"
CONSENT = Consent(signer="周桂兰", relation="self")
NUMBER = ZHOU_NUMBER


@dataclass(frozen=True, slots=True)
class Loop:
    """Everybody and everything that the tests of referrals stand on."""

    world: World
    resident: Resident
    department: Department
    schedule: Schedule
    village: Actor
    office: Actor
    specialist: Actor
    family: Actor
    stranger: Actor
    sister: Actor
    reader: Actor
    users: dict[str, User]


def make_loop() -> Loop:
    """The small world with the six people of the loop, a heart clinic, and a critical ECG report in the record."""
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village, world.township))
    posts = {
        "village": ("李长河", world.village, "village_doctor"),
        "office": ("郑岚", world.lead, "referral_officer"),
        "specialist": ("王主任", world.lead, "specialist"),
        "family": ("孙医师", world.township, "family_doctor"),
        "stranger": ("赵远", world.other_village, "village_doctor"),
        "sister": ("何医师", world.other_township, "family_doctor"),
        "reader": ("林阅", world.ecg_center, "ecg_reader"),
    }
    users = {
        key: make_staff(name=name, organization_id=unit, role=role, username=key)
        for key, (name, unit, role) in posts.items()
    }
    with acting(system_actor(Purpose.IMPORT)):
        department = Department.objects.create(organization_id=world.lead, code="0301", name="心血管内科")
        expert = Practitioner.objects.get(user=users["specialist"])
        schedule = Schedule.objects.create(organization_id=world.lead, department=department, practitioner=expert)
    publish_history(resident, world)
    actors = {key: of_user(user) for key, user in users.items()}
    return Loop(world=world, resident=resident, department=department, schedule=schedule, users=users, **actors)


def publish_history(resident: Resident, world: World) -> None:
    """What the record holds before: high pressure, hypertension, a medicine, and a critical ECG report."""
    now = timezone.now()
    subject = elements.reference("Patient", resident.key)
    contents: list[dict[str, Any]] = [
        {
            "resourceType": "Observation",
            "id": "7d6c5b4a-0000-4000-8000-000000000002",
            "status": "final",
            "code": elements.concept(systems.LOINC, "85354-9", "血压"),
            "subject": subject,
            "component": [
                {
                    "code": elements.concept(systems.LOINC, code, name),
                    "valueQuantity": elements.quantity(value, "mmHg", "mm[Hg]"),
                }
                for code, name, value in (("8480-6", "收缩压", 168), ("8462-4", "舒张压", 96))
            ],
        },
        {
            "resourceType": "Condition",
            "id": "7d6c5b4a-0000-4000-8000-000000000003",
            "code": elements.concept(systems.ICD10, "I10.x00", "原发性高血压"),
            "subject": subject,
        },
        {
            "resourceType": "MedicationStatement",
            "id": "7d6c5b4a-0000-4000-8000-000000000004",
            "status": "active",
            "medicationCodeableConcept": {"text": "氨氯地平片 5 mg"},
            "subject": subject,
            "dosage": [{"text": "每日 1 次"}],
        },
        {
            "resourceType": "DiagnosticReport",
            "id": REPORT,
            "status": "final",
            "code": elements.concept(systems.LOINC, "11524-6", "十二导联心电图"),
            "subject": subject,
            "conclusion": "急性下壁心肌梗死",
            "extension": [elements.extension(systems.CRITICAL_RESULT, valueBoolean=True)],
        },
    ]
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for content in contents:
            record.publish(
                Published(content=content, organization_id=world.village, occurred_at=now),
                resident_id=resident.id,
                actor=actor,
            )


def make_slot(loop: Loop, *, starts_at: datetime | None = None, places: int = 1) -> Slot:
    """A slot of 王主任 in an hour with places kept for referrals."""
    start = starts_at or timezone.now() + timedelta(hours=1)
    with acting(system_actor(Purpose.IMPORT)):
        slot = Slot.objects.create(
            schedule=loop.schedule,
            organization_id=loop.world.lead,
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
        )
        Place.objects.bulk_create(
            [Place(slot=slot, number=number, quota="referral") for number in range(1, places + 1)]
        )
    return slot


def draft(loop: Loop) -> Referral:
    """李长河's draft from the critical report."""
    with acting(loop.village):
        return actions.draft_from_record(
            resident=loop.resident,
            actor=loop.village,
            origin_reference=f"DiagnosticReport/{REPORT}",
            origin_subject=f"ecg-order/{REPORT}",
        )


_PLAN = Plan(
    medicines=[{"name": "阿司匹林肠溶片", "dose": "100 mg", "frequency": "qd", "days": "30", "note": ""}],
    follow_up_days=(3, 7, 30),
    warning_signs=("胸痛、胸闷持续超过 10 分钟不缓解",),
    rehabilitation="每日步行 30 分钟",
    contact_name="王主任",
    contact_phone="0731-2345678",
)
PLAN = _PLAN
SUMMARY = Discharge(
    diagnosis="急性下壁心肌梗死", diagnosis_code="I21.1", findings="右冠状动脉闭塞", summary="急诊介入，植入支架 1 枚。"
)
GOOD = Findings(systolic=128, diastolic=78, pulse=68, adherence="good")


def referral_in(loop: Loop, state: str) -> Referral:
    """A referral brought to a state of the main road by real acts of the right people."""
    referral = draft(loop)
    road: list[tuple[str, Actor, Callable[[Referral, Actor], object]]] = [
        ("submitted_green", loop.village, lambda r, a: actions.submit(referral=r, consent=CONSENT, actor=a)),
        ("accepted", loop.office, lambda r, a: actions.accept(referral=r, actor=a)),
        ("arrived", loop.office, lambda r, a: actions.check_in_by_number(number=NUMBER, actor=a)),
        ("admitted", loop.specialist, lambda r, a: actions.admit(referral=r, actor=a, ward="心内一病区", bed="12")),
        (
            "discharged",
            loop.specialist,
            lambda r, a: actions.discharge(referral=r, actor=a, summary=SUMMARY, plan=PLAN),
        ),
        (
            "handed_back",
            loop.specialist,
            lambda r, a: actions.hand_back(referral=r, actor=a, receiver_id=loop.world.township),
        ),
        ("received_back", loop.family, lambda r, a: actions.receive_back(referral=r, actor=a)),
    ]
    if state == "draft":
        return referral
    with acting(loop.village):
        actions.revise(referral=referral, actor=loop.village, values={"kind": "green"})
    for reached, actor, act in road:
        with acting(actor):
            act(queries.get(key=referral.key, actor=actor), actor)
            if reached == state:
                return queries.get(key=referral.key, actor=actor)
    raise LookupError(state)
