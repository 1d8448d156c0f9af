"""What is done at the hospital's counters before their pages have something to show: the telephone, the kiosk, the records office."""

import re

from tests.journeys.people import Person
from tests.journeys.tracings import NAME, heroine


def say_who_calls(me: Person) -> None:
    """The facts that a caller names: the page asks for the call back."""
    me.page.goto("/slots/phone/")
    if me.page.get_by_role("button", name=re.compile("结束通话")).count():
        me.press("结束通话")
    _give_facts(me, "核对")


def answer_the_call_back(me: Person) -> None:
    """The caller was called back and answered: what can be booked is there."""
    say_who_calls(me)
    me.press("已回拨，本人接听")


def stand_at_the_kiosk(me: Person) -> None:
    """Somebody identifies at the machine in the hall, which forgets them after a minute."""
    me.page.goto("/slots/kiosk/")
    _give_facts(me, "下一步")


def sit_at_the_registration(me: Person) -> None:
    """The registrar's first post, which registers and imports."""
    _take_post(me, "建档员")


def sit_in_the_records_office(me: Person) -> None:
    """The registrar's other post, which merges records."""
    _take_post(me, "档案管理员")


def give_a_wrong_code(me: Person) -> None:
    """The password of a village doctor, and then a second factor that is none."""
    me.page.goto("/accounts/login/")
    me.page.fill("[name=login]", "village")
    me.page.fill("[name=password]", me.house.password())
    me.page.locator("form[data-login] .btn-primary").click()
    me.page.wait_for_load_state()


def _take_post(me: Person, role: str) -> None:
    me.page.goto("/")
    if role in me.page.locator(".ds-top .ds-who").inner_text():
        return
    me.page.locator(".ds-menu summary").click()
    me.page.locator(".ds-menu-panel button[name=post]", has_text=role).click()
    me.page.wait_for_load_state()


def _give_facts(me: Person, button: str) -> None:
    for name, value in (
        ("number", heroine().national_id),
        ("name", NAME),
        ("phone_last_four", heroine().phone[-4:]),
    ):
        me.page.fill(f"[name={name}]", value)
    me.press(button)
