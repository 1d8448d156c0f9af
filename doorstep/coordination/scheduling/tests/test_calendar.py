"""The national calendar beyond its last published year: the law's days without a notice, entered days with one, and what stands on them."""

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client

from doorstep.coordination.scheduling import calendar_actions, calendar_queries, days
from doorstep.coordination.scheduling.days import DayKind, Session, Template, day_kind, plan_of
from doorstep.coordination.scheduling.models import CalendarDay
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist import calendar as working_time
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

NOTICE = "国务院办公厅关于 2028 年部分节假日安排的通知"
# A year that no packaged calendar has yet.
YEAR = 2028


def test_day_kind_gives_the_days_of_the_law_before_the_notice() -> None:
    assert not days.is_published(YEAR)
    assert days.is_published(2025)
    assert day_kind(date(YEAR, 1, 1)) == (DayKind.HOLIDAY, "元旦")
    assert [day_kind(date(YEAR, 1, day))[1] for day in (24, 25, 28, 29)] == ["", "春节", "春节", ""]
    assert day_kind(date(YEAR, 10, 3)) == (DayKind.HOLIDAY, "中秋节")
    assert day_kind(date(YEAR, 10, 4))[0] is DayKind.WORKDAY


def test_day_kind_follows_the_notice_of_its_year_once_it_is_entered() -> None:
    entered = {date(YEAR, 10, 4): ("holiday", "国庆节"), date(YEAR, 10, 14): ("makeup", "国庆节")}
    assert day_kind(date(YEAR, 10, 4), entered=entered) == (DayKind.HOLIDAY, "国庆节")
    assert day_kind(date(YEAR, 10, 14), entered=entered) == (DayKind.MAKEUP, "国庆节")
    # Half a notice takes no day of the law away.
    assert day_kind(date(YEAR, 5, 1), entered=entered) == (DayKind.HOLIDAY, "劳动节")
    assert day_kind(date(2027, 5, 1), entered=entered)[0] is DayKind.HOLIDAY
    monday = Session(id=1, weekday=0, starts=time(8), ends=time(10), minutes=30, places={"open": 1})
    template = Template(sessions=[monday], exceptions={}, makeup_as=0, entered=entered)
    assert plan_of(template, date(YEAR, 10, 14)).sessions == (monday,)


@pytest.mark.django_db
def test_announce_enters_days_once_with_their_notice_and_withdraw_takes_one_back() -> None:
    clinic = make_clinic()
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    holiday = {"kind": "holiday", "name": "春节", "source": NOTICE}
    with acting(manager) as zhou:
        first, last = date(YEAR, 1, 25), date(YEAR, 2, 1)
        assert calendar_actions.announce(first=first, last=last, actor=zhou, **holiday) == 8
        with pytest.raises(Conflict):
            calendar_actions.announce(first=last, last=last, actor=zhou, **holiday)
        with pytest.raises(Refused):
            calendar_actions.announce(first=date(2025, 5, 1), last=date(2025, 5, 1), actor=zhou, **holiday)
        with pytest.raises(Refused):
            calendar_actions.announce(first=last, last=first, actor=zhou, **holiday)
        weekday = date(YEAR, 2, 2)
        with pytest.raises(Refused):
            calendar_actions.announce(
                first=weekday, last=weekday, kind="makeup", name="春节", source=NOTICE, actor=zhou
            )
        calendar_actions.withdraw(day=last, actor=zhou)
        with pytest.raises(NotFound):
            calendar_actions.withdraw(day=last, actor=zhou)
    assert CalendarDay.objects.count() == 7
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        calendar_actions.announce(first=last, last=last, actor=li, **holiday)


@pytest.mark.django_db
def test_working_time_follows_what_was_entered() -> None:
    calendar_queries.forget()
    CalendarDay.objects.create(day=date(YEAR, 2, 5), kind="makeup", name="春节", source=NOTICE)
    CalendarDay.objects.create(day=date(YEAR, 2, 1), kind="holiday", name="春节", source=NOTICE)
    noon = [datetime.combine(date(YEAR, 2, day), time(12), tzinfo=CHINA) for day in (1, 2, 5, 6)]
    assert [working_time.is_workday(moment) for moment in noon] == [False, True, True, False]
    calendar_queries.forget()


@pytest.mark.django_db
def test_page_shows_a_year_says_what_is_missing_and_names_clinics_on_days_off(client: Client) -> None:
    clinic = make_clinic()
    make_slot(clinic, starts_at=datetime.combine(date(2027, 2, 6), time(9), tzinfo=CHINA), open=1)
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    bare = client.get("/slots/calendar/?year=2027").content.decode()
    if not days.is_published(2027):
        assert "通知未录入" in bare
        assert "放假日仍有已放的号" in bare
        given = {"act": "announce", "first": "2027-02-05", "last": "2027-02-11", "kind": "holiday", "name": "春节"}
        assert "依据" in client.post("/slots/calendar/?year=2027", given).content.decode()
        assert client.post("/slots/calendar/", {**given, "source": NOTICE}).status_code == 302
        full = client.get("/slots/calendar/?year=2027").content.decode()
        assert "2027-02-11" in full
        assert NOTICE in full
        assert client.post("/slots/calendar/", {"act": "withdraw", "day": "2027-02-11"}).status_code == 302
        assert client.post("/slots/calendar/", {"act": "withdraw", "day": "never"}).status_code == 404
    assert client.get("/slots/calendar/?year=99999").status_code == 200
    client.force_login(
        make_staff(name="郑明", organization_id=clinic.world.lead, role="referral_officer", username="zm")
    )
    assert "由门诊部主管" in client.get("/slots/calendar/").content.decode()
    assert client.get("/slots/schedules/").content.decode().count("/slots/calendar/") == 1


def test_year_of_lists_what_departs_from_the_week() -> None:
    assert day_kind(date(2027, 2, 9))[0] is DayKind.WORKDAY
    assert days.statutory(date(2027, 2, 5)) == "春节"
    assert days.statutory(date(2027, 2, 5) + timedelta(days=4)) == ""


@pytest.mark.django_db
def test_a_notice_for_the_new_year_reaches_back_into_december(client: Client) -> None:
    """国办发明电〔2018〕15 号 for 2019: 2018-12-30 to 2019-01-01 are free, and Saturday 2018-12-29 is worked."""
    clinic = make_clinic()
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    last = max(year for year in range(2024, 2040) if days.is_published(year))
    saturday = max(day for day in (date(last, 12, number) for number in range(20, 32)) if day.weekday() == 5)
    facts = {"name": "元旦", "source": NOTICE}
    with acting(manager) as zhou:
        assert calendar_actions.announce(first=saturday, last=saturday, kind="makeup", actor=zhou, **facts) == 1
        eve, second = date(last, 12, 31), date(last + 1, 1, 2)
        assert calendar_actions.announce(first=eve, last=second, kind="holiday", actor=zhou, **facts) == 3
        calendar_queries.forget()
        assert day_kind(saturday, entered=calendar_queries.entered()) == (DayKind.MAKEUP, "元旦")
        shown = {one.day: one for one in calendar_queries.year_of(year=last, organization_id=clinic.world.lead)}
        assert shown[saturday].entered
        assert working_time.is_workday(datetime.combine(saturday, time(9), tzinfo=CHINA))
        assert not working_time.is_workday(datetime.combine(date(last, 12, 31), time(9), tzinfo=CHINA))
        with pytest.raises(Refused):
            calendar_actions.announce(
                first=date(last, 11, 30), last=date(last, 11, 30), kind="holiday", actor=zhou, **facts
            )
        with pytest.raises(Refused):
            calendar_actions.announce(
                first=date(last - 1, 12, 31), last=date(last - 1, 12, 31), kind="holiday", actor=zhou, **facts
            )
