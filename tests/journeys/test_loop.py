"""The closed loop, from a village ECG to a hospital bed and back, as its people walk it one after the other.

Each journey takes up where the one before ended; what it needs to know it asks the database, as a person would a colleague.
"""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.centre import EcgReader
from tests.journeys.hospital import FamilyDoctor, Office, Specialist, Staff
from tests.journeys.house import House
from tests.journeys.people import Cast
from tests.journeys.sound import Listener
from tests.journeys.tracings import NAME, fresh_file
from tests.journeys.village import VillageDoctor, numbers_that_find_her

OUTCOME = "急性下壁心肌梗死"


def newest(house: House, table: str) -> str:
    """The key of the newest thing of her."""
    rows = house.sql(f"SELECT key FROM {table} WHERE resident_id = 1 ORDER BY created_at DESC LIMIT 1")
    return str(rows[0][0])


def test_the_village_doctor_sends_an_ecg(cast: Cast, house: House, tmp_path: Path) -> None:
    village = VillageDoctor(cast)
    for words in numbers_that_find_her():
        village.when_i_look_for(words)
        village.then_i_find_her()
    village.when_i_look_for(numbers_that_find_her()[2][:7])
    village.then_i_find_nobody()

    village.given_an_open_visit("胸闷 2 小时，伴出汗")
    village.and_i_measure("158", "96")
    village.then_the_visit_shows("158/96")
    village.when_i_order_an_ecg("胸闷 2 小时，伴出汗")
    for name, sentence in (
        ("not-an-ecg.dcm", "不是心电图数据文件"),
        ("cut-off.dcm", "文件不完整"),
        ("someone-else.dcm", "可能是另一个人的心电图"),
    ):
        village.when_i_upload(house.file(name))
        village.then_it_is_refused(sentence)
    recording = fresh_file(tmp_path)
    village.when_i_upload(recording)
    village.then_it_is_on_its_way()


def test_the_centre_reads_with_the_keyboard_and_signs(cast: Cast, house: House) -> None:
    key = newest(house, "diagnosis_ecgorder")
    reader, second = EcgReader(cast, "ecg1"), EcgReader(cast, "ecg2")
    reader.me.go("/ecg/")
    reader.then_it_is_on_top_of_the_queue()
    second.when_i_look_at(key)
    reader.when_i_look_at(key)
    reader.when_i_claim()
    second.when_i_look_at(key)
    second.then_it_is_taken_by("许明哲")
    reader.then_the_leads_are_drawn()

    village = VillageDoctor(cast)
    village.me.go("/ecg/orders/")
    awake, silent = Listener(village.me, "/ecg/orders/"), Listener(village.me, "/")
    awake.then_it_says_that_it_is_silent()
    awake.when_i_turn_the_sound_on()
    reader.when_i_write_the_report_with_the_keyboard()
    reader.and_i_sign()
    village.then_the_critical_value_comes_to(village.page)
    awake.then_i_hear_it()
    silent.then_the_alarm_offers_its_sound()
    for listener in (awake, silent):
        listener.window.close()
    village.when_i_acknowledge_on(village.page)
    village.me.check_page()


def test_the_village_doctor_refers_by_the_green_channel(cast: Cast, house: House) -> None:
    village = VillageDoctor(cast)
    village.when_i_refer_with_one_click(newest(house, "diagnosis_ecgorder"))
    village.then_everything_is_filled_in()
    village.when_i_hold_a_slot()
    village.and_i_submit_with_consent()
    village.then_it_is_sent()


def test_the_hospital_accepts_and_treats(cast: Cast, house: House) -> None:
    key = newest(house, "referrals_referral")
    office = Office(cast)
    office.then_it_waits_in_the_queue()
    office.when_i_open(key)
    office.when_i("受理", reason="请带身份证到急诊胸痛中心")
    office.then_i_see_the_state("已受理待到院")
    office.when_i_check_her_in_by_id()
    office.then_i_see_the_state("已到院")

    specialist = Specialist(cast)
    specialist.when_i_open(key)
    specialist.then_i_see_the_whole_record()
    specialist.when_i_open(key)
    specialist.when_i_admit()
    specialist.then_i_see_the_state("住院中")
    specialist.when_i_discharge_with_a_plan()
    specialist.then_i_see_the_state("已出院待下转")
    specialist.when_i("下转")
    specialist.then_i_see_the_state("下转待承接")


def test_the_township_receives_her_and_follows_up(cast: Cast, house: House) -> None:
    key = newest(house, "referrals_referral")
    township = Staff(cast, "duty")
    township.when_i_open(key)
    township.when_i("承接")
    township.then_i_see_the_state("随访中")
    family = FamilyDoctor(cast)
    family.when_i_open(key)
    family.when_i_do_the_follow_up_of_day(3)
    family.when_i_open(key)
    expect(family.page.locator("main")).to_contain_text("132/82")
    family.when_i("办结", outcome="恢复良好，家庭医生继续管理。")
    family.then_i_see_the_state("已办结")


def test_everybody_learns_how_it_ended(cast: Cast, house: House) -> None:
    EcgReader(cast, "ecg1").then_i_learn_the_outcome(OUTCOME)
    key = newest(house, "referrals_referral")
    for username in ("village", "expert"):
        staff = Staff(cast, username)
        staff.when_i_open(key)
        expect(staff.page.locator("main")).to_contain_text(OUTCOME)


def test_the_resident_sees_status_report_and_who_looked(cast: Cast) -> None:
    her = cast.person("zhou")
    her.go("/")
    expect(her.page.locator("main")).to_contain_text("心电")
    her.check_page()
    for path, text in (("/my/looks/", "宋怀远"), ("/my/record/", "血压")):
        her.page.get_by_role("link", name=re.compile("谁看过" if "looks" in path else "档案")).first.click()
        her.page.wait_for_load_state()
        expect(her.page.locator("main")).to_contain_text(text)
        her.check_page()


def test_the_manager_opens_a_stage_down_to_the_case(cast: Cast) -> None:
    manager = cast.person("manager")
    manager.go("/indicators/")
    manager.see("受理")
    manager.check_page()
    manager.page.locator("main table a").first.click()
    manager.page.wait_for_load_state()
    manager.check_page()
    manager.page.locator("main table a").first.click()
    manager.page.wait_for_load_state()
    manager.check_page()
    assert NAME not in manager.page.locator("main").inner_text()
