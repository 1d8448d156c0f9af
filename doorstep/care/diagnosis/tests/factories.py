"""People and orders for the tests of the ECG centre."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from doorstep.care.diagnosis import actions
from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.report import Report
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import ANONYMOUS, Actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.people.workforce.models import Practitioner
from doorstep.site.actors import of_user

# An hour before the run: a result is recognised by the day of its examination.
TAKEN_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ZHOU = PatientFacts(name="周桂兰", patient_id=ZHOU_NUMBER, national_id=ZHOU_NUMBER)
NORMAL = Report(
    findings=("sinus_rhythm",),
    findings_text="窦性心律，各导联 ST-T 未见异常。",
    conclusion_text="正常心电图",
    measurements={"heart_rate": 72, "qrs_ms": 92},
)
INFARCTION = Report(
    findings=("sinus_rhythm",),
    findings_text="II、III、aVF 导联 ST 段弓背向上抬高 0.2–0.3 mV。",
    conclusion_text="急性下壁心肌梗死可能",
    measurements={"heart_rate": 88},
    critical_code="acs_stemi",
)


@dataclass(frozen=True)
class Loop:
    """The small world with its people: 李长河 orders, 何静 and 沈舟 read, 孙敏 and 钱峰 are on duty, 赵远 is a stranger."""

    world: World
    resident: Resident
    users: dict[str, User]

    def actor(self, name: str) -> Actor:
        """The actor of a person by the name in `users`."""
        with acting(ANONYMOUS):
            return of_user(self.users[name])


def make_loop() -> Loop:
    """Everybody in place, the resident on the village's panel."""
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    people = {
        "village": ("李长河", world.village, "village_doctor"),
        "reader": ("何静", world.ecg_center, "ecg_reader"),
        "second": ("沈舟", world.ecg_center, "ecg_reader"),
        "township": ("孙敏", world.township, "township_duty"),
        "lead": ("钱峰", world.lead, "lead_duty"),
        "stranger": ("赵远", world.other_village, "village_doctor"),
    }
    users = {key: make_staff(name=name, organization_id=unit, role=role) for key, (name, unit, role) in people.items()}
    for number, key in enumerate(("reader", "second")):
        Practitioner.objects.filter(user=users[key]).update(licence_number=f"1104300000000{number:02d}")
    return Loop(world, resident, users)


@cache
def recording_bytes(
    kind: Kind = Kind.NORMAL, *, seed: int = 7, patient: PatientFacts = ZHOU, taken_at: datetime = TAKEN_AT
) -> bytes:
    """A cart's DICOM file of 周桂兰."""
    return to_dicom(synthesize(kind, seed=seed, taken_at=taken_at, patient=patient, seconds=10.0, sampling_hz=500.0))


def ordered(loop: Loop, *, urgent: bool = False) -> EcgOrder:
    """An order from a visit that waits for its recording."""
    village = loop.actor("village")
    with acting(village):
        visit = visits.open_visit(resident_id=loop.resident.id, actor=village, complaint="胸闷")
        return actions.order_ecg(visit=visit, actor=village, indication="胸闷 2 小时", urgent=urgent)


def queued(loop: Loop, kind: Kind = Kind.NORMAL, *, seed: int = 7) -> EcgOrder:
    """An order whose recording lies in the centre's queue."""
    order = ordered(loop)
    village = loop.actor("village")
    with acting(village):
        return actions.attach_recording(order=order, data=recording_bytes(kind, seed=seed), name="a.dcm", actor=village)


def claimed(loop: Loop, kind: Kind = Kind.NORMAL, *, reader: str = "reader", seed: int = 7) -> EcgOrder:
    """An order in a reader's hands."""
    order = queued(loop, kind, seed=seed)
    actor = loop.actor(reader)
    with acting(actor):
        return actions.claim(order=order, actor=actor)


def signed(loop: Loop, report: Report = NORMAL, *, seed: int = 7) -> EcgOrder:
    """A signed report."""
    order = claimed(loop, seed=seed)
    actor = loop.actor("reader")
    with acting(actor):
        return actions.sign(order=order, report=report, measurements_confirmed=True, actor=actor)
