"""A resident reads the own record page by page, and every entry once."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_world

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_timeline_pages_by_keyset(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=resident, since=date(2024, 1, 1))
        made = [
            Published(
                content={
                    "resourceType": "Procedure",
                    "id": str(uuid.uuid4()),
                    "status": "completed",
                    "code": {"text": f"处置{number}号"},
                    "subject": {"reference": f"Patient/{resident.key}"},
                },
                organization_id=world.village,
                # Several at the same moment: the key goes on by the row.
                occurred_at=START + timedelta(days=number // 4),
            )
            for number in range(120)
        ]
        record.publish_new([(one, resident.pk) for one in made], actor=actor)
    client.force_login(user)
    seen: list[str] = []
    address, pages = "/me/record/", 0
    while address:
        page = client.get(address).content.decode()
        seen += re.findall(r"处置(\d+)号", page)
        pages += 1
        assert ("回到最新" in page) is (pages > 1)
        found = re.search(r'href="(\?before=[^"]+)"', page)
        address = f"/me/record/{found[1].replace('&amp;', '&')}" if found else ""
        assert pages < 9
    assert pages == 3
    assert sorted(map(int, seen)) == list(range(120))
    assert client.get("/me/record/?before=x~y").status_code == 200


def test_what_was_urgent_days_ago_is_told_as_past(client: Client) -> None:
    """Who came home after an infarction must not read "do not move" as if it were now."""
    world = make_world()
    resident = make_resident(organization_id=world.village)
    now = datetime.now(tz=UTC)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=resident, since=date(2024, 1, 1))
        reports = [
            Published(
                content={
                    "resourceType": "DiagnosticReport",
                    "id": str(uuid.uuid4()),
                    "status": "final",
                    "code": {"text": "心电图"},
                    "extension": [elements.extension(systems.PLAIN_WORDS, valueString=words)],
                    "subject": {"reference": f"Patient/{resident.key}"},
                },
                organization_id=world.village,
                occurred_at=at,
            )
            for words, at in (("请不要走动。", now - timedelta(days=9)), ("心跳节律正常。", now))
        ]
        record.publish_new([(one, resident.pk) for one in reports], actor=actor)
    client.force_login(user)
    for address in ("/me/", "/me/record/"):
        page = client.get(address).content.decode()
        assert "当时的说明：请不要走动。" in page
        assert "当时的说明：心跳节律正常。" not in page
        assert "心跳节律正常。" in page
    assert "请立即拨打 120" in client.get("/me/").content.decode()
