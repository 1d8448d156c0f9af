"""A pregnancy on the form, in the record and in the criteria: it is said once, it counts, and it ends by itself."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions
from doorstep.care.referrals.criteria import Fact, judge
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.record_facts import Known, judged_of, up_facts
from doorstep.care.referrals.rules import UP_CRITERIA
from doorstep.care.referrals.tests.factories import Loop, make_loop
from doorstep.care.referrals.tests.test_record_facts import condition, put
from doorstep.care.referrals.tests.test_statements import client_of, form_of, listed, sent_by
from doorstep.coordination.visits.pregnancy import Said, from_observation
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident

DAY = date(2026, 6, 1)


def ago(**span: int) -> date:
    return DAY - timedelta(**span)


def expecting(*said: Said, now: Said | None = None, gender: str = "female", age: int = 30) -> dict[str, Any]:
    born = DAY.replace(year=DAY.year - age)
    facts = up_facts(
        Known(pregnancies=said), birth_date=born, symptoms=None, critical=False, day=DAY, gender=gender, said=now
    )
    return {name: facts[name].value for name in ("pregnant", "nursing") if name in facts}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # To term and over it, then six weeks of childbed, then nobody knows.
        (Said("pregnant", ago(weeks=20), ago(weeks=30)), {"pregnant": True}),
        (Said("pregnant", ago(weeks=20), ago(weeks=48)), {"pregnant": True}),
        (Said("pregnant", ago(weeks=20), ago(weeks=48, days=1)), {}),
        (Said("pregnant", ago(weeks=46)), {"pregnant": True}),
        (Said("pregnant", ago(weeks=46, days=1)), {}),
        (Said("nursing", ago(days=40), ago(days=42)), {"pregnant": True, "nursing": True}),
        (Said("nursing", ago(days=40), ago(days=43)), {"pregnant": False, "nursing": True}),
        (Said("nursing", ago(days=300), ago(days=366)), {"pregnant": False}),
        (Said("nursing", ago(days=180)), {"nursing": True}),
        (Said("nursing", ago(days=181)), {}),
        (Said("no", ago(days=28)), {"pregnant": False, "nursing": False}),
        (Said("no", ago(days=29)), {}),
        (Said("pregnant", ago(days=-3), ago(weeks=8)), {}),
    ],
)
def test_what_was_said_holds_for_its_time(said: Said, expected: dict[str, Any]) -> None:
    assert expecting(said) == expected


def test_the_newest_word_counts_and_the_form_above_all() -> None:
    pregnant, born = Said("pregnant", ago(weeks=20), ago(weeks=30)), Said("nursing", ago(days=50), ago(days=50))
    assert expecting(pregnant, born) == {"pregnant": False, "nursing": True}
    assert expecting(pregnant, now=Said("no", DAY)) == {"pregnant": False, "nursing": False}
    assert expecting(now=Said("pregnant", DAY)) == {"pregnant": True}


def test_nobody_asks_who_cannot_be() -> None:
    assert expecting(gender="male") == {"pregnant": False, "nursing": False}
    assert expecting(age=9) == expecting(age=60) == {"pregnant": False, "nursing": False}
    assert expecting(age=59) == expecting(age=10) == {}


def test_nursing_with_a_high_pressure_goes_up_and_is_no_mother_of_the_maternal_centre() -> None:
    facts = {name: Fact(value=value) for name, value in {"pregnant": False, "nursing": True, "systolic": 165}.items()}
    found = {one.code: one.met for one in judge(UP_CRITERIA, {**facts, "symptoms": Fact(value=frozenset())})}
    assert found["pregnant-pressure"] is True
    assert found["maternal"] is False


@pytest.mark.parametrize(
    ("code", "text", "on", "pregnant"),
    [
        ("O80.900", "单胎顺产", ago(days=42), True),
        ("O80.900", "单胎顺产", ago(days=43), False),
        ("O04.900", "医疗性流产", ago(days=60), False),
        ("Z37.000", "单一活产", ago(days=100), False),
        ("", "孕 39 周", ago(weeks=9), True),
        ("", "孕 39 周", ago(weeks=10), None),
        ("", "孕 3 产 1，剖宫产史", ago(weeks=1), None),
        ("", "妊娠期糖尿病史", ago(weeks=1), None),
        ("", "未妊娠", ago(weeks=1), None),
    ],
)
def test_a_problem_says_it_for_its_time(code: str, text: str, on: date, pregnant: bool | None) -> None:
    known = Known(problems=((code, text, on),))
    facts = up_facts(known, birth_date=date(1996, 1, 1), symptoms=None, critical=False, day=DAY, gender="female")
    found = facts.get("pregnant")
    assert (found and found.value) is pregnant


def test_an_old_pregnancy_in_the_impression_is_not_of_today() -> None:
    old = ("O26.900", "妊娠状态")
    known = Known(problems=((*old, ago(days=700)),))
    given: dict[str, Any] = {"birth_date": date(1996, 1, 1), "symptoms": None, "critical": False, "day": DAY}
    assert "pregnant" not in up_facts(known, **given, impressions=[old])
    assert up_facts(Known(), **given, impressions=[old])["pregnant"].value is True


def test_others_say_it_in_their_codes() -> None:
    said = {
        "code": {"coding": [{"system": systems.LOINC, "code": "82810-3"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]},
        "component": [{"code": {"coding": [{"code": "11778-8"}]}, "valueDateTime": "2026-09-01"}],
    }
    assert from_observation(said, on=DAY) == Said("pregnant", DAY, date(2025, 11, 25))
    assert from_observation({**said, "valueCodeableConcept": {"coding": [{"code": "LA4489-6"}]}}, on=DAY) is None
    assert from_observation({**said, "code": {"coding": [{"code": "8480-6"}]}}, on=DAY) is None


@pytest.fixture
def loop(db: None) -> Loop:
    return make_loop()


def young(loop: Loop, **more: Any) -> Resident:
    given: dict[str, Any] = {
        "name": "方晓晴",
        "number": "",
        "phone": "19900005678",
        "birth_date": date(1996, 5, 4),
        **more,
    }
    return make_resident(organization_id=loop.world.village, panel_of=(loop.world.village,), **given)


def drafted(loop: Loop, resident: Resident) -> Referral:
    with acting(loop.village):
        return actions.draft_from_record(resident=resident, actor=loop.village)


def send(loop: Loop, client: Client, referral: Referral, **said: Any) -> Any:
    given = {"consent_signer": "方晓晴", **said}
    return client.post(reverse("referrals:edit", args=[referral.key]), form_of(loop, **given))


def said_of(resident: Resident) -> dict[str, Any]:
    with acting(system_actor(Purpose.IMPORT)):
        known = judged_of(resident_id=resident.pk, origin_reference="")
    return up_facts(
        known, birth_date=resident.birth_date, symptoms=None, critical=False, day=timezone.localdate(), gender="female"
    )


def test_the_form_says_it_and_the_record_knows_it(loop: Loop) -> None:
    resident, client = young(loop), client_of(loop, "village")
    referral = drafted(loop, resident)
    page = client.get(reverse("referrals:edit", args=[referral.key])).content.decode()
    assert "妊娠与哺乳" in page
    assert "末次月经" in page
    statements = sent_by(lambda: send(loop, client, referral, pregnancy="pregnant", gestation_weeks="32"))
    assert len(statements) <= 12, listed(statements)
    today = timezone.localdate()
    with acting(system_actor(Purpose.IMPORT)):
        sent = Referral.objects.get(pk=referral.pk)
        observation = record.read(type="Observation", fhir_id=str(referral.key))
    assert (sent.state, sent.pregnancy, sent.last_period_on) == ("submitted", "pregnant", today - timedelta(weeks=32))
    assert observation is not None
    assert observation["valueCodeableConcept"]["coding"][0] == {
        "system": systems.LOINC,
        "code": "LA15173-0",
        "display": "Pregnant",
    }
    assert observation["component"][0]["valueDateTime"] == (today - timedelta(weeks=32)).isoformat()
    assert said_of(resident)["pregnant"].value is True
    assert "妊娠 32 周 +0 天" in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    # The next form has it already; after the delivery the doctor says so.
    assert drafted(loop, resident).last_period_on == today - timedelta(weeks=32)


def test_a_pregnancy_with_a_high_pressure_is_urgent_while_the_form_is_written(loop: Loop) -> None:
    resident, client = young(loop), client_of(loop, "village")
    put(loop, at=timezone.now())
    referral = drafted(loop, resident)
    address = reverse("referrals:advice", args=[referral.key])
    given = {
        "impression": "头晕", "symptoms": ["heavy-bleeding"], "kind_suggested": "ordinary", "green_center": "", "green_center_suggested": "",
    }  # fmt: skip
    without = client.post(address, form_of(loop, **given)).content.decode()
    assert '<option value="trauma" selected' in without
    with_it = client.post(address, form_of(loop, **given, pregnancy="pregnant")).content.decode()
    assert '<option value="maternal" selected' in with_it


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"pregnancy": "pregnant", "last_period_on": "2031-01-01"}, "末次月经应在今天之前"),
        ({"pregnancy": "pregnant", "last_period_on": "2019-01-01"}, "48 周以内"),
        ({"pregnancy": "pregnant", "last_period_on": "三月"}, "last_period_on"),
        ({"pregnancy": "pregnant", "gestation_weeks": "60"}, "gestation_weeks"),
        ({"pregnancy": "nursing", "delivered_on": "2031-01-01"}, "分娩日期应在今天之前"),
        ({"pregnancy": "maybe"}, "pregnancy"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(loop: Loop, said: dict[str, str], words: str) -> None:
    resident, client = young(loop), client_of(loop, "village")
    referral = drafted(loop, resident)
    answer = send(loop, client, referral, **said)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        assert Referral.objects.get(pk=referral.pk).state == "draft"


def test_of_a_man_nobody_asks_it(loop: Loop) -> None:
    resident, client = young(loop, gender="male", name="方大勇"), client_of(loop, "village")
    referral = drafted(loop, resident)
    assert "末次月经" not in client.get(reverse("referrals:edit", args=[referral.key])).content.decode()
    assert send(loop, client, referral, pregnancy="pregnant").status_code == 422


def test_a_delivery_of_the_record_ends_a_pregnancy(loop: Loop) -> None:
    now = timezone.now()
    put(loop, condition("p", "Z34.900", "妊娠监督"), at=now - timedelta(days=200))
    assert said_of(loop.resident)["pregnant"].value is True
    # The delivery itself is over the day after: it still ends what was before.
    put(loop, condition("d", "O80.900", "顺产", clinical="resolved"), at=now - timedelta(days=60))
    assert said_of(loop.resident)["pregnant"].value is False


def test_the_sent_referral_names_source_and_open_check_of_each_criterion(loop: Loop) -> None:
    resident, client = young(loop), client_of(loop, "village")
    referral = drafted(loop, resident)
    send(loop, client, referral, pregnancy="pregnant", symptoms=["heavy-bleeding"], kind="urgent")
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "国卫办妇幼发〔2017〕35号 孕产妇妊娠风险评估与管理工作规范 · 口径待核" in page
