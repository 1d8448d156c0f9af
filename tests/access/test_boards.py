"""What boards, their files and their cases must not say: figures count more than their reader may see."""

from io import BytesIO
from uuid import uuid4

import pytest
from django.db import ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Household, Resident, ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop() -> Loop:
    return make_loop()


def test_the_history_of_a_case_says_nothing_that_somebody_wrote_about_the_patient(loop: Loop, client: Client) -> None:
    """A manager opens a figure down to a case: the reason of a step is a doctor's own words, with the name in them."""
    words = "周桂兰的妹妹代诉怀孕，接诊错人"
    with acting(loop.village):
        visit = visits.open_visit(resident_id=loop.resident.pk, actor=loop.village)
        visits.void(visit=visit, reason=words, actor=loop.village)
    with acting(system_actor(Purpose.IMPORT)):
        task = Task.objects.filter(kind__startswith="visit.").first()
        if task is None:
            task = Task.objects.create(
                kind="visit.in_progress",
                item_id=visit.pk,
                item_key=visit.key,
                organization_id=loop.world.village,
                resident_id=loop.resident.pk,
            )
    client.force_login(make_staff(name="马主任", organization_id=loop.world.lead, role="manager"))
    page = client.get(f"/indicators/cases/{task.key}/")
    assert page.status_code == 200
    assert "作废" in page.content.decode()
    assert words not in page.content.decode()


def test_the_receiving_office_counts_a_draft_and_does_not_read_whose_it_is(loop: Loop, client: Client) -> None:
    """The wall shows a referral to its target from submission on: neither the list of a figure nor its file says it before."""
    accepted = referral_in(loop, "accepted")
    with acting(system_actor(Purpose.HANDLER)):
        draft = Referral.objects.get(pk=accepted.pk)
        draft.pk, draft.key, draft.origin, draft._state.adding = None, uuid4(), "", True
        draft.state, draft.patient_name, draft.submitted_at = "draft", "周未提交", None
        draft.save(force_insert=True)
    client.force_login(loop.users["office"])
    for what in ("stage:draft", "open", ""):
        page = client.get(reverse("referrals:flow-cases") + f"?what={what}")
        assert page.status_code == 200
        assert draft.number in page.content.decode()
        assert "周未提交" not in page.content.decode(), what
        assert "周未提交" not in _cells(client.get(reverse("referrals:flow-export") + f"?what={what}").content), what
    assert loop.resident.name in client.get(reverse("referrals:flow-cases") + "?what=open").content.decode()


def test_a_refused_proposal_is_named_to_those_alone_who_may_see_it(loop: Loop, client: Client) -> None:
    """A manager reads who refused and why; the diagnosis and the patient are the ward's and theirs who were asked."""
    with acting(system_actor(Purpose.HANDLER)):
        DownProposal.objects.create(
            resident_id=loop.resident.pk,
            resident_key=loop.resident.key,
            patient_name=loop.resident.name,
            ward="神经内科",
            disease="stroke",
            diagnosis="脑梗死恢复期",
            hospital_id=loop.world.lead,
            state="refused",
            state_since=timezone.now(),
            stay_key=uuid4(),
            ward_code="not-stable",
        )
    address, file = reverse("referrals:flow-cases"), reverse("referrals:flow-export")
    client.force_login(make_staff(name="马主任", organization_id=loop.world.lead, role="manager"))
    for answer in (
        client.get(f"{address}?what=down-refused").content.decode(),
        _cells(client.get(f"{file}?what=down-refused").content),
    ):
        assert "神经内科" in answer
        assert "脑梗死" not in answer
        assert loop.resident.name not in answer
    client.force_login(loop.users["office"])
    assert "脑梗死" in client.get(f"{address}?what=down-refused").content.decode()


def test_a_look_at_a_stay_stands_in_the_trail(loop: Loop, client: Client) -> None:
    stay = _lying(loop)
    client.force_login(loop.users["specialist"])
    assert client.get(reverse("beds:stay", args=[stay.key])).status_code == 200
    with acting(system_actor(Purpose.IMPORT)):
        look = AuditEntry.objects.get(action="stay.view")
        assert (look.resident_id, look.subject) == (loop.resident.pk, f"stay/{stay.key}")


def test_a_bed_that_another_house_forgot_to_free_is_a_sentence(loop: Loop) -> None:
    """Its stay is not seen here; the patient who lies before the doctor was answered with a fault."""
    with acting(system_actor(Purpose.HANDLER)) as system:
        for unit, name in ((loop.world.lead, "心内科"), (loop.world.township, "内科")):
            beds.open_ward(organization_id=unit, name=name, beds=["1"], actor=system)
        elsewhere = Bed.objects.get(organization_id=loop.world.township)
        beds.occupy(bed=elsewhere, resident=loop.resident, actor=system)
        _open_to(loop, loop.world.lead)
    with acting(loop.specialist):
        here = Bed.objects.get(organization_id=loop.world.lead)
        with pytest.raises(Conflict, match="其他机构"):
            beds.occupy(bed=here, resident=loop.resident, actor=loop.specialist)


def test_the_address_of_a_family_is_read_by_their_units_and_themselves_alone(loop: Loop) -> None:
    world = loop.world
    with acting(system_actor(Purpose.IMPORT)):
        home = Household.objects.create(organization_id=world.village, address="石桥村 7 组 12 号")
        Resident.objects.filter(pk=loop.resident.pk).update(household=home)
        other = make_resident(organization_id=world.other_village, name="外人", number="43998119900101001X", phone="")
        neighbour = User.objects.create_user("neighbour", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=neighbour, resident=other, since=timezone.localdate())
        own = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=own, resident=loop.resident, since=timezone.localdate())
    readers = {
        "own unit": loop.village,
        "its centre": loop.family,
        "stranger": loop.stranger,
        "manager": of_user(make_staff(name="马主任", organization_id=world.lead, role="manager")),
        "neighbour": of_user(neighbour),
        "family": of_user(own),
    }
    seen = {}
    for name, actor in readers.items():
        with acting(actor):
            seen[name] = Household.objects.filter(pk=home.pk).count()
    assert seen == {"own unit": 1, "its centre": 1, "stranger": 0, "manager": 0, "neighbour": 0, "family": 1}
    with acting(loop.stranger), pytest.raises(ProgrammingError, match="row-level security"):
        Household.objects.create(organization_id=world.village, address="")


def _open_to(loop: Loop, unit: int) -> None:
    with acting(system_actor(Purpose.HANDLER)) as system:
        access.open_relationship(
            resident_id=loop.resident.pk,
            organization_id=unit,
            reason=CareRelationship.Reason.VISIT,
            episode="stay/1",
            actor=system,
        )


def _lying(loop: Loop) -> Stay:
    _open_to(loop, loop.world.lead)
    with acting(system_actor(Purpose.HANDLER)) as system:
        beds.open_ward(organization_id=loop.world.lead, name="心内科", beds=["1"], actor=system)
    with acting(loop.specialist):
        return beds.occupy(bed=Bed.objects.get(), resident=loop.resident, actor=loop.specialist)


def _cells(file: bytes) -> str:
    sheet = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0)
    return "\n".join(str(cell) for line in sheet.to_python() for cell in line)
