"""Who is sent at once, to which centre, and what of it speaks of the heart; what the receiving side reads first."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.criteria import Fact, judge
from doorstep.care.referrals.presenters.course import steps_of
from doorstep.care.referrals.record_facts import Known, up_facts
from doorstep.care.referrals.rules import UP_CRITERIA, center_for, kind_for
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.kernel.access.session import acting

DAY = date(2026, 3, 2)


def test_a_mother_with_a_grade_one_pressure_is_urgent_and_green_only_when_signed() -> None:
    said = {"pregnant": True, "systolic": 150, "diastolic": 80}
    judged = judge(UP_CRITERIA, {name: Fact(value=value, on=DAY) for name, value in said.items()})
    assert (kind_for(judged, signed=False), kind_for(judged, signed=True)) == ("urgent", "green")


@pytest.mark.parametrize(
    ("known", "ticked", "heart", "critical"),
    [
        (Known(), True, None, True),
        (Known(), False, None, None),
        (Known(report_critical=True, report_on=DAY, report_is_ecg=True), False, True, True),
        (Known(report_critical=False, report_on=DAY, report_is_ecg=True), True, False, True),
        # Potassium of 7.0 is no infarction.
        (Known(report_critical=True, report_on=DAY, report_is_ecg=False), False, None, True),
    ],
)
def test_only_an_electrocardiogram_speaks_of_the_heart(
    known: Known, ticked: bool, heart: bool | None, critical: bool | None
) -> None:
    found = up_facts(known, birth_date=date(1960, 1, 1), symptoms=None, critical=ticked, day=DAY)
    assert tuple(found[name].value if name in found else None for name in ("ecg_critical", "critical")) == (
        heart,
        critical,
    )


def test_a_critical_stroke_goes_to_the_stroke_centre() -> None:
    found = up_facts(Known(), birth_date=date(1960, 1, 1), symptoms=["neurological"], critical=True, day=DAY)
    judged = judge(UP_CRITERIA, found)
    assert (kind_for(judged, signed=False), center_for(judged)) == ("green", "stroke")


@pytest.mark.django_db
def test_of_an_emergency_the_illness_and_its_signs_come_before_address_and_benefits(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    places = [page.index(words) for words in ("主要现病史（转出原因）", "家庭住址")]
    assert places == sorted(places)
    assert page.index("上转指征") < page.index("享受的待遇")


@pytest.mark.django_db
def test_a_withdrawn_referral_does_not_say_that_the_record_is_open(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    client.force_login(loop.users["office"])
    page, packet = (reverse(f"referrals:{name}", args=[referral.key]) for name in ("detail", "packet"))
    assert "对方可查阅完整档案" in client.get(page).content.decode()
    assert client.get(packet).status_code == 200
    with acting(loop.village) as village:
        actions.withdraw(referral=queries.get(key=referral.key, actor=village), reason="家属要求", actor=village)
    shown = client.get(page).content.decode()
    assert "凭本次转诊的查阅权限已终止" in shown
    assert "对方可查阅完整档案" not in shown
    # And so it is: what travelled is shut as well.
    assert "没有可查阅的随附资料" in client.get(packet).content.decode()


@pytest.mark.django_db
def test_who_is_on_the_way_is_so_since_the_departure() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    with acting(loop.village) as village:
        away = actions.depart(
            referral=queries.get(key=referral.key, actor=village), transport="ambulance", actor=village
        )
    now = next(one for one in steps_of(away) if one["state"] == "now")
    assert (now["label"], now["at"]) == ("转运途中", away.state_since)
