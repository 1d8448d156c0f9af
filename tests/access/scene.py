"""One of everything that addresses name, belonging to the village clinic 石桥村卫生室."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from doorstep.care.contracts import actions as contracts
from doorstep.care.contracts.actions import Terms
from doorstep.care.diagnosis import queries as diagnosis
from doorstep.care.diagnosis.tests.factories import INFARCTION, Loop, make_loop, signed
from doorstep.care.referrals import actions as referrals
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange.models import CodeMapping
from doorstep.kernel.subscriptions.models import Notification, Subscription
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import World, make_staff
from doorstep.people.workforce.models import Practitioner, Team
from tests.exchange.factories import adt, make_connection, refuse, take


@dataclass(frozen=True, slots=True)
class Scene:
    """The small world, and for each subject the keywords of its address."""

    loop: Loop
    sister_village: int
    keywords: dict[str, dict[str, str]]

    def place(self, name: str) -> int:
        """The organisation of a place, seen from the village clinic."""
        world = self.loop.world
        return {
            "own": world.village,
            "parent": world.township,
            "sister": self.sister_village,
            "foreign": world.other_village,
        }[name]


def make_scene() -> Scene:
    """A visit, a contract in draft, a signed critical ECG and a referral in draft, all made by the right people."""
    loop = make_loop()
    world, resident, village = loop.world, loop.resident, loop.actor("village")
    sister, secondary, team = _neighbours(world)
    with acting(system_actor(Purpose.IMPORT)):
        public = Organization.objects.get(id=world.village)
    order = signed(loop, INFARCTION)
    with acting(village):
        visit = visits.open_visit(resident_id=resident.id, actor=village)
        terms = Terms(
            team_id=team.pk,
            secondary_hospital_id=secondary.pk,
            tertiary_hospital_id=world.lead,
            starts_on=timezone.localdate(),
            term_years=1,
        )
        contract = contracts.draft(resident_id=resident.id, terms=terms, actor=village)
        referral = referrals.draft_from_record(
            resident=resident,
            actor=village,
            origin_reference=f"DiagnosticReport/{order.key}",
            origin_subject=order.subject,
        )
        critical = diagnosis.open_critical_of(order=order)
        task = Task.objects.filter(organization_id=world.village).order_by("id").first()
        recording = diagnosis.recording_key(order)
        assert recording is not None
        assert critical is not None
        assert task is not None
    keys = {
        "resident": resident.key,
        "visit": visit.key,
        "contract": contract.key,
        "order": order.key,
        "critical": critical.key,
        "referral": referral.key,
        "recording": recording,
        "task": task.key,
        "public": public.key,
        "nothing": uuid.uuid4(),
        "batch": uuid.uuid4(),
        "colleague": uuid.uuid4(),
    }
    keywords = {name: {"key": str(key)} for name, key in keys.items()}
    keywords |= _exchange(world) | {"nobody": {}, "unit": keywords["public"], "stage": {"kind": task.kind}}
    keywords["entry"] = {"key": str(resident.key), "type": "Encounter", "fhir_id": str(visit.key)}
    keywords["own_entry"] = {"type": "Encounter", "fhir_id": str(visit.key)}
    keywords |= _absent(str(resident.key)) | {"visit_key": {"visit_key": str(visit.key)}}
    return Scene(loop=loop, sister_village=sister.id, keywords=keywords)


@contextmanager
def kept_scene(blocker: DjangoDbBlocker) -> Iterator[Scene]:
    """The scene for all tests of a module: each test undoes its own acts, and the scene is undone after the last."""
    with blocker.unblock(), transaction.atomic():
        yield make_scene()
        transaction.set_rollback(True)


def _absent(resident_key: str) -> dict[str, dict[str, str]]:
    """Addresses of the resident together with something that is not there."""
    return {
        "slot_and_resident": {"slot": str(uuid.uuid4()), "resident_key": resident_key},
        "department_and_resident": {"key": str(uuid.uuid4()), "resident_key": resident_key},
        "proof": {"presence_id": "987654"},
        "terminal": {"user_id": "987654"},
    }


def _exchange(world: World) -> dict[str, dict[str, str]]:
    """A connection of the village clinic with a message and a code that nobody has decided, and an app of others."""
    his = make_connection(world.village)
    (message,) = take(his, adt("A01", "M1", at="20260501080500"))
    turned_away = refuse(his, adt("A01", "M0", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    with acting(system_actor(Purpose.EXCHANGE)) as system:
        access.register_app(name="charts", display="趋势图", address="https://charts.example/open", actor=system)
        code = CodeMapping.objects.create(connection=his, organization_id=world.village, table="item", local_code="GLU")
        listening = Subscription.objects.create(
            client=his.client, organization_id=world.village, criteria="Patient", type="Patient", base="", resource={}
        )
        dead = Notification.objects.create(
            subscription=listening,
            organization_id=world.village,
            number=1,
            type="Patient",
            fhir_id="x",
            version=1,
            at=timezone.now(),
            state="dead",
        )
    keys = {"key": str(his.key)}
    return {
        "subscription": {"key": str(listening.key)},
        "notification": {"key": str(dead.key)},
        "system": {"name": his.client.name},
        "connection": keys,
        "message": {"key": str(message.key)},
        "refusal": {"key": str(turned_away.key)},
        "code": {**keys, "code": str(code.key)},
    }


def _neighbours(world: World) -> tuple[Organization, Organization, Team]:
    """A second village under the same township, a second hospital, and the team that serves the village."""
    with acting(system_actor(Purpose.IMPORT)):
        township = Organization.objects.get(id=world.township)
        sister = Organization.objects.create(
            code="V3", name="杏坪村卫生室", kind=Organization.Kind.VILLAGE_CLINIC, parent=township
        )
        Organization.objects.filter(id=sister.id).update(path=[*township.path, sister.id])
        secondary = Organization.objects.create(code="H2", name="第二医院", kind=Organization.Kind.HOSPITAL, tier=2)
        chen = make_staff(name="陈敏", organization_id=world.township, role="family_doctor")
        team = Team.objects.create(
            organization_id=world.township, name="石桥团队", leader=Practitioner.objects.get(user=chen)
        )
        team.villages.add(world.village)
    return sister, secondary, team
