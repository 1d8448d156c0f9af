"""Who is told that the browser keeps the alarm silent: those whom an alarm may reach, and nobody else."""

import pytest
from django.test import Client

from doorstep.people.residents.tests.factories import make_staff, make_world
from doorstep.site.machines import ALARMED
from doorstep.site.roles import ROLES

pytestmark = pytest.mark.django_db


def test_the_offer_of_sound_is_for_who_may_be_alarmed() -> None:
    world = make_world()
    for role, alarmed in (("village_doctor", True), ("ecg_reader", True), ("manager", False), ("auditor", False)):
        client = Client()
        client.force_login(make_staff(name="某某", organization_id=world.lead, role=role, username=role))
        page = client.get("/", follow=True).content.decode()
        assert "data-unread" in page
        assert ("data-sound" in page) is alarmed, role


def test_every_duty_role_may_be_alarmed() -> None:
    for role in (
        "village_doctor",
        "family_doctor",
        "township_duty",
        "lead_duty",
        "ecg_reader",
        "referral_officer",
        "specialist",
    ):
        assert ALARMED & ROLES[role].permissions, role
    for role in ("manager", "administrator", "auditor", "engineer", "registrar", "supervisor"):
        assert not ALARMED & ROLES[role].permissions, role
