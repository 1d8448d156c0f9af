"""Killed processes, lost answers, lost networks, double clicks, two people at once: nothing is lost and nothing done twice."""

import random
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.centre import EcgReader
from tests.journeys.house import House
from tests.journeys.people import Cast
from tests.journeys.tracings import fresh_file
from tests.journeys.village import VillageDoctor
from tests.journeys.wire import Wire, at_once

PRESSURES = "SELECT count(*) FROM record_resource WHERE type = 'Observation' AND resident_id = 1 AND content::text ~ %s"
STEPS = "SELECT count(*) FROM workflow_step WHERE machine = %s AND item_key = %s AND verb = %s"


def pressure_that_nobody_had(house: House) -> str:
    """A systolic pressure that her record does not hold yet."""
    free = [one for one in range(121, 139) if not written(house, str(one))]
    return str(random.choice(free))


def written(house: House, systolic: str) -> int:
    """How often this systolic pressure was written down."""
    return int(house.sql(PRESSURES, rf'"value": ?{systolic}(\.0)?[,}}]')[0][0])


@pytest.mark.parametrize("victim", ["web", "worker", "database"])
def test_a_form_sent_into_a_dying_process_counts_once(cast: Cast, house: House, victim: str) -> None:
    village = VillageDoctor(cast)
    visit = village.given_an_open_visit("复测血压").removeprefix(house.address)
    wire = Wire(village.me)
    systolic = pressure_that_nobody_had(house)
    address, fields = wire.form(visit, action="/vitals/", systolic=systolic, diastolic="81")
    answer = wire.send_while_killing(victim, address, fields)
    assert answer.status_code in (302, 303), answer.text[:500]
    # The same form once more: the answer to the first may have been lost on its way.
    assert wire.send(address, fields).status_code in (302, 303)
    village.me.go(visit)
    village.me.see(f"{systolic}/81")
    assert written(house, systolic) == 1


def test_an_upload_and_a_signature_survive_what_is_killed(cast: Cast, house: House, tmp_path: Path) -> None:
    village = VillageDoctor(cast)
    village.given_an_open_visit("心悸")
    village.when_i_order_an_ecg("心悸")
    upload = village.page.url.removeprefix(house.address)
    key = upload.split("/")[3]
    recording = fresh_file(tmp_path).read_bytes()
    wire = Wire(village.me)
    address, fields = wire.form(upload, action="/upload/")
    answer = wire.send_while_killing("web", address, fields, files={"recording": ("a.dcm", recording)})
    assert answer.status_code in (302, 303)
    assert house.sql(STEPS, "ecg-order", key, "submit") == [(1,)]

    reader = EcgReader(cast, "ecg1")
    reader.when_i_look_at(key)
    reader.when_i_claim()
    village.me.go("/ecg/orders/")
    house.kill("live")
    signing = Wire(reader.me)
    address, fields = signing.form(
        f"/ecg/orders/{key}/case/",
        action="/sign/",
        findings="infarction_inferior",
        findings_text="II、III、aVF 导联 ST 段抬高。",
        conclusion_text="急性下壁心肌梗死可能",
        critical_code="acs_stemi",
        heart_rate="88",
        measurements_confirmed="on",
    )
    answer = signing.send_while_killing("database", address, fields)
    assert answer.status_code in (302, 303), answer.text[:500]
    assert house.sql(STEPS, "ecg-order", key, "sign") == [(1,)]
    assert house.sql("SELECT count(*) FROM diagnosis_criticalvalue WHERE order_key = %s", key) == [(1,)]
    village.me.go("/ecg/critical/")
    expect(village.page.locator("#work-list")).to_contain_text("待确认")


def test_an_unread_critical_value_goes_up_the_line(cast: Cast, house: House) -> None:
    for username in ("duty", "leadduty"):
        cast.person(username).go("/ecg/critical/")
        house.sql(
            "UPDATE worklist_task SET due_at = now() - interval '1 second' WHERE kind = 'critical-value.told'"
            " AND closed_at IS NULL AND escalated_at IS NULL"
        )
        page = cast.person(username).page
        # The worker's next tick hands it on. The database was killed a moment ago: worker and live process come back first.
        for _try in range(40):
            if "周桂兰" in page.locator("#work-list").inner_text():
                break
            page.wait_for_timeout(3000)
            page.reload()
        expect(page.locator("#work-list")).to_contain_text("周桂兰")


def test_a_double_click_writes_once(cast: Cast, house: House) -> None:
    village = VillageDoctor(cast)
    village.given_an_open_visit("复测血压")
    systolic = pressure_that_nobody_had(house)
    village.page.fill("[name=systolic]", systolic)
    village.page.fill("[name=diastolic]", "79")
    village.page.get_by_role("button", name="保存测量值").dblclick(no_wait_after=True)
    village.me.see(f"{systolic}/79")
    assert written(house, systolic) == 1


def test_a_lost_network_keeps_what_was_typed_and_says_so(cast: Cast, house: House) -> None:
    village = VillageDoctor(cast)
    village.given_an_open_visit("复测血压")
    systolic = pressure_that_nobody_had(house)
    village.page.fill("[name=systolic]", systolic)
    village.page.fill("[name=diastolic]", "77")
    village.me.context.set_offline(True)
    village.page.get_by_role("button", name="保存测量值").click()
    village.me.see("网络不通，尚未保存")
    expect(village.page.locator("[name=systolic]")).to_have_value(systolic)
    village.me.context.set_offline(False)
    village.me.press("保存测量值")
    village.me.see(f"{systolic}/77")
    assert written(house, systolic) == 1


def test_two_browsers_claim_at_once_and_one_holds_it(cast: Cast, house: House, tmp_path: Path) -> None:
    village = VillageDoctor(cast)
    village.given_an_open_visit("心悸复查")
    village.when_i_order_an_ecg("心悸复查")
    village.when_i_upload(fresh_file(tmp_path))
    village.then_it_is_on_its_way()
    key = village.page.url.rstrip("/").rsplit("/", 1)[1]
    wires = [Wire(cast.person(name)) for name in ("ecg1", "ecg2")]
    forms = [wire.form(f"/ecg/orders/{key}/case/", action="/claim/") for wire in wires]
    answers = at_once(*(lambda wire=wire, form=form: wire.send(*form) for wire, form in zip(wires, forms, strict=True)))
    assert house.sql(STEPS, "ecg-order", key, "claim") == [(1,)]
    assert sorted(answer.status_code for answer in answers)[-1] in (303, 409)
