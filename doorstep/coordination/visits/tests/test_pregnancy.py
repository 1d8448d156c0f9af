"""What a woman says of a pregnancy during a visit: written, shown, read by the danger rule, and struck out with the visit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.visits import actions, pregnancy, queries, rules
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.tests.test_views import BUDGET, signed_in
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.record import queries as record
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _wu() -> tuple[Client, Actor, Resident, World]:
    """吴晓兰, 29, of the village of 李长河."""
    world = make_world()
    born = timezone.localdate() - timedelta(days=29 * 365 + 100)
    resident = make_resident(
        organization_id=world.village, name="吴晓兰", number="", birth_date=born, panel_of=(world.village,)
    )
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    return signed_in(user), of_user(user), resident, world


def _visit(actor: Actor, resident: Resident) -> Visit:
    with acting(actor):
        return actions.open_visit(resident_id=resident.id, actor=actor, complaint="头晕")


def test_weeks_become_the_last_period_and_140_over_90_is_danger_from_then_on() -> None:
    client, actor, resident, _world = _wu()
    visit = _visit(actor, resident)
    page = f"/visits/{visit.key}/"
    shown = client.get(page).content.decode()
    assert all(f'name="{name}"' in shown for name in ("pregnancy", "last_period_on", "gestation_weeks", "delivered_on"))
    plain = client.post(f"{page}vitals/", {"systolic": "142", "diastolic": "88"}, follow=True).content.decode()
    assert "≥140/90" not in plain
    facts = {"systolic": "142", "diastolic": "88", "pregnancy": "pregnant", "gestation_weeks": "24"}
    saved = client.post(f"{page}vitals/", facts, follow=True).content.decode()
    assert "妊娠或哺乳期，血压 142/88 mmHg" in saved
    assert "国家基本公共卫生服务规范（第三版）" in saved
    assert "妊娠 24 周 +0 天" in saved
    with acting(actor):
        known = queries.pregnancy_known(resident_id=resident.pk)
        assert known is not None
        assert (known.status, known.since) == ("pregnant", timezone.localdate() - timedelta(weeks=24))
        [written] = [
            one for one in record.of_episode(episode=visit.subject, types=("Observation",))
            if one.content["code"]["coding"][0]["code"] == pregnancy.LOINC
        ]  # fmt: skip
        assert written.content["encounter"]["reference"] == f"Encounter/{visit.key}"
        assert written.content["valueCodeableConcept"]["coding"][0]["code"] == "LA15173-0"
        assert AuditEntry.objects.filter(action="visit.pregnancy", resident_id=resident.pk).count() == 1
        told = EventRow.objects.filter(name="VitalsRecorded").order_by("id")
        assert [one.details["danger"] for one in told] == [False, True]
        assert EventRow.objects.get(name="PregnancySaid").details["status"] == "pregnant"
        # Struck out with the visit that was opened for the wrong woman.
        actions.void(visit=visit, reason="选错了居民", actor=actor)
        assert queries.pregnancy_known(resident_id=resident.pk) is None


def test_the_word_alone_is_enough_and_the_next_visit_knows_it() -> None:
    client, actor, resident, _world = _wu()
    first = _visit(actor, resident)
    day = (timezone.localdate() - timedelta(days=20)).isoformat()
    answer = client.post(f"/visits/{first.key}/vitals/", {"pregnancy": "nursing", "delivered_on": day})
    assert answer.status_code == 302
    with acting(actor):
        assert not EventRow.objects.filter(name="VitalsRecorded").exists()
        actions.finish(visit=first, actor=actor)
    second = _visit(actor, resident)
    shown = client.get(f"/visits/{second.key}/").content.decode()
    assert f"产后、哺乳期（分娩日期 {day}）" in shown


def test_dates_that_cannot_be_are_refused_at_their_field_and_nothing_is_saved() -> None:
    client, actor, resident, _world = _wu()
    visit = _visit(actor, resident)
    for facts, sentence in (
        ({"pregnancy": "pregnant", "last_period_on": "2020-01-01"}, "末次月经应在今天之前、48 周以内"),
        ({"pregnancy": "nursing", "delivered_on": "2999-01-01"}, "分娩日期应在今天之前"),
        ({"pregnancy": "pregnant", "gestation_weeks": "50"}, "42"),
        ({"pregnancy": "moon"}, "妊娠与哺乳"),
    ):
        answer = client.post(f"/visits/{visit.key}/vitals/", {"systolic": "120", "diastolic": "80", **facts})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    with acting(actor):
        assert record.of_episode(episode=visit.subject, types=("Observation",)) == []
        for faulty in ({"status": "moon"}, {"status": "pregnant", "last_period": date(2020, 1, 1)}):
            with pytest.raises(Refused):
                actions.record_pregnancy(visit=visit, actor=actor, **faulty)


def test_men_are_not_asked_and_cannot_be_said_to_be_pregnant() -> None:
    client, actor, _woman, world = _wu()
    man = make_resident(
        organization_id=world.village, name="吴大山", number="", gender="male", panel_of=(world.village,)
    )
    visit = _visit(actor, man)
    assert 'name="pregnancy"' not in client.get(f"/visits/{visit.key}/").content.decode()
    answer = client.post(f"/visits/{visit.key}/vitals/", {"pregnancy": "pregnant"})
    assert answer.status_code == 422
    with acting(actor), pytest.raises(Refused) as caught:
        actions.record_pregnancy(visit=visit, actor=actor, status="pregnant")
    assert set(caught.value.fields) == {"pregnancy"}


def test_nobody_writes_it_from_elsewhere_or_after_the_end() -> None:
    _client, actor, resident, world = _wu()
    visit = _visit(actor, resident)
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger), pytest.raises(NotFound):
        actions.record_pregnancy(visit=visit, actor=stranger, status="no")
    with acting(actor):
        ended = actions.finish(visit=visit, actor=actor)
        with pytest.raises(Conflict):
            actions.record_pregnancy(visit=ended, actor=actor, status="no")


def test_the_page_of_a_woman_stays_within_the_budget(django_assert_max_num_queries: object) -> None:
    client, actor, resident, _world = _wu()
    visit = _visit(actor, resident)
    with acting(actor):
        for _round in range(20):
            actions.record_pregnancy(visit=visit, actor=actor, status="pregnant")
    client.get(f"/visits/{visit.key}/")
    with django_assert_max_num_queries(BUDGET + 6):  # type: ignore[operator]
        assert client.get(f"/visits/{visit.key}/").status_code == 200


def test_danger_of_a_mother_begins_at_140_or_90() -> None:
    def found(high: int, low: int, *, expecting: bool) -> bool:
        return rules.danger_of(systolic=Decimal(high), diastolic=Decimal(low), expecting=expecting) is not None

    assert [found(*one, expecting=True) for one in ((139, 89), (140, 70), (120, 90))] == [False, True, True]
    assert [found(*one, expecting=False) for one in ((140, 90), (180, 70))] == [False, True]
