"""Hiring, posts and accounts; and every way up that a manager might try."""

from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record
from doorstep.people.organizations.models import Membership, Organization
from doorstep.people.workforce import accounts, managing, queries
from doorstep.people.workforce.models import Post, Practitioner
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

NUMBER = "439981196309150027"
TODAY = date(2026, 11, 1)


def _unit(code: str, parent: Organization | None) -> Organization:
    unit = Organization.objects.create(code=code, name=code, kind="hospital", parent=parent)
    unit.path = [*(parent.path if parent else []), unit.pk]
    unit.save(update_fields=["path"])
    return unit


class House:
    """A county, a hospital with a township below it, another hospital beside it; a manager of the first hospital."""

    def __init__(self) -> None:
        with acting(system_actor(Purpose.IMPORT)):
            self.county = _unit("county", None)
            self.hospital = _unit("hospital", self.county)
            self.township = _unit("township", self.hospital)
            self.beside = _unit("beside", self.county)
            self.manager_person = self.person("manager", self.hospital, "manager")
            self.administrator_person = self.person("admin", self.county, "administrator")
        assert not Membership.objects.exists()
        self.manager = self.actor(self.manager_person)
        self.administrator = self.actor(self.administrator_person)

    def person(self, name: str, unit: Organization, role: str) -> Practitioner:
        with acting(system_actor(Purpose.IMPORT)) as system:
            new = managing.NewPractitioner(name=name, gender="male", username=name, facts=managing.Facts())
            return managing.hire(new=new, post=_post(unit, role), actor=system).practitioner

    def actor(self, person: Practitioner) -> Actor:
        with acting(system_actor(Purpose.SIGN_IN)):
            return of_user(User.objects.get(pk=person.user_id or 0))


def _post(unit: Organization, role: str, **more: object) -> managing.NewPost:
    return managing.NewPost(organization_id=unit.pk, role=role, starts_on=TODAY, **more)  # type: ignore[arg-type]


def _new(username: str, number: str = "") -> managing.NewPractitioner:
    return managing.NewPractitioner(
        name="新同事", gender="female", username=username, national_id=number, facts=managing.Facts()
    )


def test_hire_gives_an_account_that_must_be_made_own() -> None:
    house = House()
    with acting(house.manager) as manager:
        hired = managing.hire(new=_new("newdoctor", NUMBER), post=_post(house.township, "nurse"), actor=manager)
        user = User.objects.get(pk=hired.practitioner.user_id or 0)
        assert user.check_password(hired.password)
        assert user.password_temporary_until is not None
        assert timezone.now() < user.password_temporary_until <= timezone.now() + accounts.TEMPORARY_FOR
        nurse = of_user(user)
        assert (nurse.role, nurse.organization_id) == ("nurse", house.township.pk)


def test_hire_somebody_known_adds_a_post_and_no_account() -> None:
    house = House()
    with acting(house.administrator) as administrator:
        first = managing.hire(new=_new("one", NUMBER), post=_post(house.beside, "specialist"), actor=administrator)
    with acting(house.manager) as manager:
        second = managing.hire(new=_new("two", NUMBER), post=_post(house.township, "specialist"), actor=manager)
        assert (second.practitioner.pk, second.password) == (first.practitioner.pk, "")
        assert not User.objects.filter(username="two").exists()
        # Half of this person is out of reach: the manager must not become the other half by a new password.
        for act in (
            lambda: accounts.renew(practitioner=second.practitioner, factors=False, actor=manager),
            lambda: accounts.lock(practitioner=second.practitioner, reason="离职", actor=manager),
            lambda: managing.change(practitioner=second.practitioner, facts=managing.Facts(), actor=manager),
        ):
            with pytest.raises(NotPermitted):
                act()


@pytest.mark.parametrize("role", ["manager", "auditor", "administrator", "engineer", "supervisor", "no-such-role"])
def test_give_post_refuses_what_a_manager_may_not_give(role: str) -> None:
    house = House()
    nurse = house.person("nurse", house.hospital, "nurse")
    with acting(house.manager) as manager, pytest.raises(NotPermitted):
        managing.give_post(practitioner=nurse, post=_post(house.hospital, role), actor=manager)


def test_give_post_manager_only_below() -> None:
    house = House()
    nurse = house.person("nurse", house.township, "nurse")
    with acting(house.manager) as manager:
        managing.give_post(practitioner=nurse, post=_post(house.township, "manager"), actor=manager)
        for unit in (house.beside, house.county):
            with pytest.raises(NotFound):
                managing.give_post(practitioner=nurse, post=_post(unit, "nurse"), actor=manager)
    below = house.actor(nurse)
    with acting(system_actor(Purpose.IMPORT)):
        Post.objects.filter(practitioner=nurse, role="nurse").delete()
    below = house.actor(nurse)
    with acting(below), pytest.raises(Refused):
        accounts.renew(practitioner=house.manager_person, factors=True, actor=below)


def test_nobody_manages_oneself() -> None:
    house = House()
    with acting(house.manager) as manager:
        for act in (
            lambda: managing.give_post(
                practitioner=house.manager_person, post=_post(house.township, "specialist"), actor=manager
            ),
            lambda: accounts.renew(practitioner=house.manager_person, factors=True, actor=manager),
            lambda: managing.change(practitioner=house.manager_person, facts=managing.Facts(), actor=manager),
            lambda: managing.end_post(
                post=Post.objects.get(practitioner=house.manager_person), last_day=TODAY, reason="离职", actor=manager
            ),
        ):
            with pytest.raises(Refused):
                act()


def test_renew_of_a_peer_or_of_somebody_above_is_refused() -> None:
    house = House()
    peer = house.person("peer", house.hospital, "manager")
    with acting(house.manager) as manager:
        with pytest.raises(NotPermitted):
            accounts.renew(practitioner=peer, factors=True, actor=manager)
        with pytest.raises(NotFound):
            accounts.renew(practitioner=house.administrator_person, factors=True, actor=manager)


def test_give_post_keeps_auditors_apart() -> None:
    house = House()
    engineer = house.person("engineer", house.county, "engineer")
    with acting(house.administrator) as administrator, pytest.raises(Refused) as refused:
        managing.give_post(practitioner=engineer, post=_post(house.county, "auditor"), actor=administrator)
    assert "role" in refused.value.fields


def test_end_post_keeps_the_history_and_shuts_the_door() -> None:
    house = House()
    nurse = house.person("nurse", house.township, "nurse")
    with acting(house.manager) as manager:
        post = Post.objects.get(practitioner=nurse)
        with pytest.raises(Refused):
            managing.end_post(post=post, last_day=TODAY - timedelta(days=1), reason="调离", actor=manager)
        managing.end_post(post=post, last_day=TODAY, reason="调离", actor=manager)
        role = record.read(type="PractitionerRole", fhir_id=str(post.key))
        person = record.read(type="Practitioner", fhir_id=str(nurse.key))
        assert role is not None
        assert person is not None
        assert (role["active"], role["period"]["end"], person["active"]) == (False, TODAY.isoformat(), False)
        assert queries.last_day_of(Post.objects.get(pk=post.pk)) == TODAY
        with pytest.raises(Conflict):
            managing.end_post(post=Post.objects.get(pk=post.pk), last_day=TODAY, reason="调离", actor=manager)
    assert house.actor(nurse).permissions == frozenset()


def test_lock_and_renew_end_what_was_open() -> None:
    house = House()
    nurse = house.person("nurse", house.township, "nurse")
    user = User.objects.get(pk=nurse.user_id or 0)
    before = user.get_session_auth_hash()
    with acting(house.manager) as manager:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
        password = accounts.renew(practitioner=nurse, factors=True, actor=manager)
        user.refresh_from_db()
        assert user.check_password(password)
        assert user.get_session_auth_hash() != before
        assert not Authenticator.objects.filter(user=user).exists()
        accounts.lock(practitioner=nurse, reason="离职", actor=manager)
        with pytest.raises(Conflict):
            accounts.lock(practitioner=nurse, reason="离职", actor=manager)
        accounts.unlock(practitioner=nurse, actor=manager)
        user.refresh_from_db()
        assert user.is_active


def test_hire_says_what_is_wrong_field_by_field() -> None:
    house = House()
    with acting(house.manager) as manager:
        wrong = managing.NewPractitioner(
            name=" ", gender="male", username="x1y", facts=managing.Facts(phone="12-3", licence_number="12")
        )
        with pytest.raises(Refused) as refused:
            managing.hire(new=wrong, post=_post(house.township, "nurse"), actor=manager)
        assert set(refused.value.fields) == {"name", "phone", "licence_number"}
        with pytest.raises(Refused) as taken:
            managing.hire(new=_new("manager"), post=_post(house.township, "nurse"), actor=manager)
        assert "username" in taken.value.fields
        assert not Practitioner.objects.filter(name="新同事").exists()
