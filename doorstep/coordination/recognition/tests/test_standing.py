"""What stands of a resident's results when something is ordered: the same item, and nothing that is merely of its kind."""

import pytest
from django.utils import timezone

from doorstep.coordination.recognition.queries import Wanted, standing_results
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents.tests.factories import make_resident, make_world

pytestmark = pytest.mark.django_db


def test_an_x_ray_of_the_chest_stands_for_no_ct_of_the_head() -> None:
    world = make_world()
    zhou = make_resident(organization_id=world.village, panel_of=(world.village,))
    actor, now = system_actor(Purpose.IMPORT), timezone.now()
    day = timezone.localdate()
    with acting(actor):
        for number, title in enumerate(("胸部X线正位", "乙肝两对半", "降钙素原（PCT）")):
            content = {
                "resourceType": "DiagnosticReport",
                "id": f"r{number}",
                "status": "final",
                "code": {"text": title},
            }
            record.publish(
                Published(content=content, organization_id=world.lead, occurred_at=now),
                resident_id=zhou.pk,
                actor=actor,
            )

        def standing(*titles: str) -> list[str]:
            wanted = [Wanted(code="", title=title) for title in titles]
            return [one.title for one in standing_results(resident_id=zhou.pk, wanted=wanted, day=day)]

        assert standing("头颅CT平扫") == []
        assert standing("HIV 抗体（艾滋病筛查）") == []
        assert standing("降钙素原（PCT）") == []
        assert set(standing("胸部X线正位", "乙肝两对半")) == {"胸部X线正位", "乙肝两对半"}
