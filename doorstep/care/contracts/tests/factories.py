"""A team of the township that serves the village, two hospitals to choose from, and proofs of presence."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from doorstep.care.contracts import actions
from doorstep.care.contracts.actions import Terms
from doorstep.care.contracts.models import Contract
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import actions as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.people.workforce.models import Practitioner, Team
from doorstep.site.actors import of_user


@dataclass(frozen=True, slots=True)
class Signing:
    """What the tests of contracts stand on: 周桂兰, the family doctor 陈敏, the village doctor 李长河."""

    world: World
    team: Team
    secondary: Organization
    resident: Resident
    family_doctor: Actor
    village_doctor: Actor
    stranger: Actor

    def terms(self, **changes: object) -> Terms:
        """A contract of one year from today with the county hospital and the district hospital."""
        values: dict[str, object] = {
            "team_id": self.team.pk,
            "secondary_hospital_id": self.secondary.pk,
            "tertiary_hospital_id": self.world.lead,
            "starts_on": timezone.localdate(),
            "term_years": 1,
        }
        return Terms(**{**values, **changes})  # type: ignore[arg-type]

    def prove(self, actor: Actor) -> int:
        """周桂兰 stands before the actor with the card and the phone."""
        answer = residents.prove_presence(number=ZHOU_NUMBER, actor=actor, name="周桂兰", phone_last_four="1234")
        assert answer.presence_id is not None
        return answer.presence_id


def make_signing(*, birth_date: date = date(1963, 9, 15)) -> Signing:
    """The small world with 石桥团队 of the township, which serves the village."""
    world = make_world()
    resident = make_resident(organization_id=world.village, birth_date=birth_date)
    chen = make_staff(name="陈敏", organization_id=world.township, role="family_doctor", username="chen")
    li = make_staff(name="李长河", organization_id=world.village, role="village_doctor", username="li")
    zhao = make_staff(name="赵远", organization_id=world.other_village, role="village_doctor", username="zhao")
    with acting(system_actor(Purpose.IMPORT)):
        leader = Practitioner.objects.get(user=chen)
        team = Team.objects.create(organization_id=world.township, name="石桥团队", leader=leader)
        team.villages.add(world.village)
        secondary = Organization.objects.create(
            code="H2", name="禾川县第二人民医院", kind=Organization.Kind.HOSPITAL, tier=2
        )
    return Signing(world, team, secondary, resident, of_user(chen), of_user(li), of_user(zhao))


def sign_with(signing: Signing, actor: Actor, **changes: object) -> Contract:
    """A contract signed by an actor with the resident present; the actor saw the resident at a visit before."""
    with acting(actor):
        presence_id = signing.prove(actor)
        visits.open_visit(resident_id=signing.resident.id, actor=actor, presence_id=presence_id)
        contract = actions.draft(resident_id=signing.resident.id, terms=signing.terms(**changes), actor=actor)
        return actions.sign(contract=contract, actor=actor, presence_id=presence_id)
