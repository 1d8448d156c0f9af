"""The server's disk is full: PostgreSQL refuses a write with SQLSTATE 53100, and whoever sent it hears what to do; nothing is half saved."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.tests.factories import make_staff
from tests.fhir.house import make_house

# The same error as of a disk without room, from the same place: the write of the trail, which every act and every look ends with.
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON audit_auditentry FOR EACH ROW EXECUTE FUNCTION no_room();
"""
ROOM = "DROP FUNCTION no_room() CASCADE"


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_said_to_machines_and_people(client: Client, owner_connection: psycopg.Connection) -> None:
    house = make_house(client)
    staff = make_staff(name="陈", organization_id=house.world.village, role="village_doctor")
    client.raise_request_exception = False
    owner_connection.execute(FULL)

    sent = house.own.ask("POST", "Observation", house.observation())
    assert (sent.status_code, sent.headers["Retry-After"]) == (503, "60")
    assert sent.json()["issue"][0]["code"] == "no-store"
    client.force_login(staff)
    page = client.get(f"/residents/{house.resident.key}/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
    assert "服务器存储空间已满" in page.content.decode()

    owner_connection.execute(ROOM)
    with acting(system_actor(Purpose.SEALING)):
        assert not Resource.objects.filter(type="Observation").exists()
    assert house.own.ask("POST", "Observation", house.observation()).status_code == 201
    client.force_login(staff)
    assert client.get(f"/residents/{house.resident.key}/").status_code == 200


@pytest.mark.django_db
def test_a_login_that_cannot_be_counted_says_that_the_disk_is_full(client: Client, settings: Any) -> None:
    client.raise_request_exception = False
    # What is written through this folder goes to a device without room.
    settings.CACHES = {
        "default": {"BACKEND": "tests.faults.full_device.FullDevice", "LOCATION": settings.DATA / "limits"}
    }
    answer = client.post("/accounts/login/", {"login": "wang", "password": "wrong-Horse-73"})
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "60")
    assert "服务器存储空间已满" in answer.content.decode()
