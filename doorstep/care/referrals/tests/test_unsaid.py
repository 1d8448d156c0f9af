"""What is not said aloud, and a unit that nurses: it travels in nobody's packet to a care home."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals.tests.factories import make_loop
from doorstep.care.referrals.tests.test_down_aims import a_care_home, sent_to
from doorstep.care.referrals.tests.test_going_home import WELL, lie_in, stable
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import actions as publishing
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.publishing import Published

pytestmark = pytest.mark.django_db


def test_what_is_not_said_aloud_stays_behind(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    """The ward came by an emergency and may read it; nurses of a care home are told by the summary what they must know."""
    loop = make_loop()
    stable(monkeypatch)
    with acting(system_actor(Purpose.IMPORT)) as system:
        access.open_relationship(
            resident_id=loop.resident.pk,
            organization_id=loop.world.lead,
            reason=CareRelationship.Reason.EMERGENCY,
            actor=system,
            sensitive=True,
        )
        for code, text in (("F20.900", "精神分裂症"), ("I10", "高血压病")):
            content = {
                "resourceType": "Condition",
                "id": code,
                "code": {"text": text},
                "subject": {"reference": f"Patient/{loop.resident.key}"},
            }
            one = Published(
                content=content, organization_id=loop.world.village, occurred_at=timezone.now(), sensitive=code != "I10"
            )
            publishing.publish(one, resident_id=loop.resident.pk, actor=system)
    lie_in(loop, said={**WELL, "needs_care": True})
    home = a_care_home()
    with acting(loop.specialist):
        assert record.read(type="Condition", fhir_id="F20.900") is not None
    down = sent_to(loop, home)
    client.force_login(home.user)
    packed = client.get(reverse("referrals:packet", args=[down.key])).content.decode()
    assert "高血压病" in packed
    assert "精神分裂症" not in packed
