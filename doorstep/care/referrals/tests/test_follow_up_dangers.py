"""A follow-up that finds danger is not put away as an ordinary one, and what was told by telephone was measured at home."""

import pytest
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.actions import Findings
from doorstep.care.referrals.criteria import HOME
from doorstep.care.referrals.models import FollowUp
from doorstep.care.referrals.record_facts import judged_of
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_statements import client_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting

pytestmark = pytest.mark.django_db


def due(loop: Loop) -> FollowUp:
    referral = referral_in(loop, "received_back")
    with acting(loop.family):
        return queries.follow_ups_of(referral=referral)[0]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"systolic": 186, "diastolic": 92}, "186/92 mmHg，达到危险水平"),
        ({"systolic": 150, "diastolic": 110}, "达到危险水平"),
        ({"systolic": 130, "diastolic": 80, "symptoms": ("chest-pain", "oedema")}, "患者有胸痛："),
        ({"systolic": None, "diastolic": None, "way": "phone", "symptoms": ("bleeding",)}, "患者有出血："),
    ],
)
def test_danger_is_answered_before_a_follow_up_is_done(found: dict[str, object], words: str) -> None:
    loop = make_loop()
    follow_up = due(loop)
    given: dict[str, object] = {"adherence": "good", **found}
    with acting(loop.family):
        with pytest.raises(Refused) as refused:
            actions.complete_follow_up(follow_up=follow_up, findings=Findings(**given), actor=loop.family)  # type: ignore[arg-type]
        assert words in str(refused.value.fields["advice"])
        said = Findings(**given, advice="复测 152/88 mmHg，已调整用药，明日复测")  # type: ignore[arg-type]
        assert actions.complete_follow_up(follow_up=follow_up, findings=said, actor=loop.family).state == "done"


def test_an_ordinary_follow_up_needs_no_words() -> None:
    loop = make_loop()
    follow_up = due(loop)
    good = Findings(systolic=179, diastolic=109, adherence="good", symptoms=("oedema", "dizziness"))
    with acting(loop.family):
        assert actions.complete_follow_up(follow_up=follow_up, findings=good, actor=loop.family).state == "done"


@pytest.mark.parametrize(("way", "how"), [("phone", HOME), ("video", HOME), ("clinic", ""), ("visit", "")])
def test_a_pressure_told_by_telephone_was_measured_at_home(way: str, how: str) -> None:
    loop = make_loop()
    follow_up = due(loop)
    with acting(loop.family):
        found = Findings(systolic=137, diastolic=80, adherence="good", way=way)
        actions.complete_follow_up(follow_up=follow_up, findings=found, actor=loop.family)
    with acting(system_actor(Purpose.IMPORT)):
        known = judged_of(resident_id=loop.resident.pk, origin_reference="")
    assert (known.measured["systolic"].value, known.measured["systolic"].how) == (137, how)
    assert known.pressures[0].home is (how == HOME)
    assert known.pressures[0].on == timezone.localdate()
    page = client_of(loop, "family").get(reverse("referrals:follow-up", args=[follow_up.key])).content.decode()
    assert ("137/80 mmHg（家庭自测）" in page) is (how == HOME)
