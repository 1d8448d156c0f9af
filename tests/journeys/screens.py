"""Takes the pictures of the main pages, at a desk and on a phone, and says what a picture does not show.

A script, not a test: bin/screens. It walks the first steps of the closed loop, so that pages have something on them, and prints
for every page what its browser complained of, how much wider than the window it is, and words of the other language.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import ConsoleMessage, sync_playwright

from doorstep.care.diagnosis.ecg.dicom_writing import to_dicom
from doorstep.care.diagnosis.ecg.recording import PatientFacts
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.demo.county.heroes import HeroResident, hero_residents
from tests.journeys.centre import EcgReader
from tests.journeys.conftest import FLAGS
from tests.journeys.counters import (
    answer_the_call_back,
    give_a_wrong_code,
    say_who_calls,
    sit_at_the_registration,
    sit_in_the_records_office,
    stand_at_the_kiosk,
)
from tests.journeys.hospital import Office
from tests.journeys.house import House, free_port
from tests.journeys.people import DESK, NOBODY, PHONE, RESIDENTS, Cast, Person
from tests.journeys.tracings import fresh_file
from tests.journeys.village import VillageDoctor

ROOT = Path(__file__).resolve().parents[2]
BUILT, SHOWN = ROOT / "build/screens", ROOT / "docs/screens"
SETTLE_MS = 1300
# Words that Chinese hospitals write in Latin letters.
LATIN = re.compile(r"[A-Za-z]{4,}")
KNOWN = frozenset({"English", "mmHg", "mmol", "DICOM", "aECG", "STEMI", "Excel", "xlsx", "Enter", "Ctrl"})
# Who else of the village lies under the electrodes that morning, by number, and with what.
OTHERS = (
    (8, Kind.ATRIAL_FIBRILLATION, "慢阻肺，心慌 3 天"),
    (9, Kind.SINUS_TACHYCARDIA, "活动后心悸"),
    (2, Kind.NORMAL, "高血压、糖尿病随访"),
)
CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")


@dataclass(frozen=True, slots=True)
class Screen:
    """A page as somebody sees it; `path` may name a key as {order}, `english` pictures it in English too, `shown` is its README name.

    `before` is done first, so that there is something on the page; `status` is what it answers.
    """

    name: str
    username: str
    path: str
    english: bool = False
    shown: str = ""
    before: Callable[[Person], None] | None = None
    status: int = 200


SCREENS = (
    Screen("office-case", "office", "/referrals/{referral}/", english=True, shown="referral"),
    Screen("office", "office", "/referrals/office/"),
    Screen("packet", "office", "/referrals/{referral}/packet/", english=True),
    Screen("beds", "expert", "/beds/"),
    Screen("proposals", "expert", "/referrals/proposals/"),
    Screen("proposal", "expert", "/referrals/proposals/{proposal}/", english=True),
    Screen("stay", "expert", "/beds/stays/{stay}/"),
    Screen("flow", "manager", "/referrals/flow/", english=True),
    Screen("flow-cases", "manager", "/referrals/flow/cases/?what=open"),
    Screen("service", "duty", "/referrals/service/"),
    Screen("home-village", "village", "/", english=True, shown="home"),
    Screen("find", "village", "/residents/?q=z"),
    Screen("resident", "village", "/residents/{resident}/", english=True),
    Screen("allergies", "village", "/allergies/{resident}/"),
    Screen("contact", "village", "/residents/{resident}/contact/"),
    Screen("insurance", "village", "/residents/{resident}/insurance/", english=True),
    Screen("death", "village", "/residents/{resident}/death/"),
    Screen("visits", "village", "/visits/"),
    Screen("visit", "village", "/visits/{visit}/"),
    Screen("ecg-orders", "village", "/ecg/orders/"),
    Screen("ecg-report", "village", "/ecg/orders/{order}/", english=True),
    Screen("criticals", "village", "/ecg/critical/"),
    Screen("critical", "village", "/ecg/critical/{critical}/"),
    Screen("referrals", "village", "/referrals/"),
    Screen("referral", "village", "/referrals/{referral}/", english=True),
    Screen("notices", "village", "/notices/"),
    Screen("home-ecg", "ecg1", "/"),
    Screen("ecg-queue", "ecg1", "/ecg/", english=True, shown="ecg-queue"),
    Screen("ecg-reading", "ecg1", "/ecg/orders/{waiting}/case/", shown="ecg-reading"),
    Screen("ecg-outcomes", "ecg1", "/ecg/outcomes/"),
    Screen("home-office", "office", "/"),
    Screen("slots", "office", "/slots/"),
    Screen("schedules", "office", "/slots/schedules/"),
    Screen("home-expert", "expert", "/"),
    Screen("treating", "expert", "/referrals/treating/"),
    Screen("timeline", "expert", "/residents/{resident}/", shown="timeline"),
    Screen("home-family", "family", "/"),
    Screen("contracts", "family", "/contracts/"),
    Screen("contract", "family", "/contracts/{contract}/"),
    Screen("follow-ups", "family", "/referrals/follow-ups/"),
    Screen("returning", "duty", "/referrals/returning/"),
    Screen("home-manager", "manager", "/"),
    Screen("indicators", "manager", "/indicators/", english=True, shown="indicators"),
    Screen("recognition", "manager", "/indicators/recognition/", english=True),
    Screen("decisions", "manager", "/indicators/recognition/decisions/"),
    Screen("indicator-cases", "manager", "/indicators/stages/{kind}/"),
    Screen("organizations", "manager", "/organizations/"),
    Screen("staff", "manager", "/staff/"),
    Screen("exchange", "engineer", "/exchange/", english=True),
    Screen("exchange-connection", "engineer", "/exchange/{connection}/"),
    Screen("exchange-missing", "engineer", "/exchange/{connection}/missing/"),
    Screen("exchange-messages", "engineer", "/exchange/messages/"),
    Screen("exchange-message", "engineer", "/exchange/messages/{message}/"),
    Screen("exchange-codes", "engineer", "/exchange/{connection}/codes/?open=1"),
    Screen("exchange-new", "engineer", "/exchange/new/"),
    Screen("exchange-new-system", "engineer", "/exchange/systems/new/"),
    Screen("exchange-system-keys", "engineer", "/exchange/systems/{system}/keys/"),
    Screen("unit", "manager", "/organizations/{unit}/"),
    Screen("unit-edit", "manager", "/organizations/{unit}/edit/"),
    Screen("hire", "manager", "/staff/new/?unit={unit}"),
    Screen("colleague", "manager", "/staff/{colleague}/"),
    Screen("audit", "auditor", "/audit/"),
    Screen("audit-reviews", "auditor", "/audit/reviews/"),
    Screen("register", "registrar", "/residents/register/", before=sit_at_the_registration),
    Screen("imports", "registrar", "/residents/import/", before=sit_at_the_registration),
    Screen("doubles", "registrar", "/identity/", before=sit_in_the_records_office),
    Screen("double-pairs", "registrar", "/identity/pairs/", before=sit_in_the_records_office),
    Screen("double-pick", "registrar", "/identity/{resident}/", before=sit_in_the_records_office),
    Screen("double-compare", "registrar", "/identity/{resident}/?with={other}", before=sit_in_the_records_office),
    Screen("login", NOBODY, "/accounts/login/", english=True),
    Screen("login-code", NOBODY, "/accounts/2fa/authenticate/", before=give_a_wrong_code),
    Screen("error-403", "desk", "/slots/quotas/", status=403),
    Screen("error-404", "village", "/nothing/", status=404),
    Screen("error-405", "village", "/visits/{visit}/finish/", status=405),
    Screen("desk-who", "desk", "/slots/phone/", english=True),
    Screen("desk-call-back", "desk", "/slots/phone/", before=say_who_calls),
    Screen("desk-departments", "desk", "/slots/phone/", before=answer_the_call_back),
    Screen("desk-times", "desk", "/slots/phone/?department={department}", before=answer_the_call_back),
    Screen("desk-day", "desk", "/slots/day/", english=True),
    Screen("desk-wall", "desk", "/slots/screen/"),
    Screen("desk-waiting", "desk", "/slots/waiting/", english=True),
    Screen("desk-rebookings", "desk", "/slots/rebookings/"),
    Screen("kiosk", "kiosk", "/slots/kiosk/", english=True),
    Screen("kiosk-mine", "kiosk", "/slots/kiosk/mine/", before=stand_at_the_kiosk),
    Screen("kiosk-find", "kiosk", "/slots/kiosk/find/", before=stand_at_the_kiosk),
    Screen("kiosk-times", "kiosk", "/slots/kiosk/find/{department}/", before=stand_at_the_kiosk),
    Screen("ecg-new", "village", "/ecg/orders/new/{visit}/", english=True),
    Screen("visit-new", "village", "/visits/open/{resident}/"),
    Screen("presence", "village", "/residents/presence/"),
    Screen("break-glass", "village", "/residents/emergency/", english=True),
    Screen("unknown", "village", "/identity/unknown/"),
    Screen("identify", "village", "/identity/{resident}/identify/"),
    Screen("contract-new", "family", "/contracts/new/{resident}/"),
    Screen("follow-up", "family", "/referrals/follow-ups/{follow_up}/"),
    Screen("fairness", "office", "/slots/fairness/"),
    Screen("fairness-cases", "office", "/slots/fairness/cases/?by=channel&code=doctor"),
    Screen("quotas", "office", "/slots/quotas/"),
    Screen("quota-cases", "office", "/slots/quotas/cases/?quota=referral&what=used"),
    Screen("facilities", "office", "/slots/facilities/"),
    Screen("stop", "office", "/slots/stop/"),
    Screen("audit-found", "auditor", "/audit/?text=李长河"),
    Screen("security", "manager", "/accounts/2fa/"),
    Screen("password", "manager", "/accounts/password/change/"),
    Screen("phone-bookings", "zhou", "/slots/my/"),
    Screen("phone-find", "zhou", "/slots/my/find/"),
    Screen("phone-times", "zhou", "/slots/my/find/{department}/"),
    Screen("phone-trends", "zhou", "/me/trends/"),
    Screen("phone-home", "zhou", "/me/", english=True, shown="phone"),
    Screen("phone-record", "zhou", "/me/record/"),
    Screen("phone-looks", "zhou", "/me/looks/"),
    Screen("phone-code", "zhou", "/me/code/"),
    Screen("phone-daughter", "daughter", "/me/"),
)
KEYS = {
    "system": "SELECT name FROM access_apiclient WHERE revoked_at IS NULL ORDER BY id LIMIT 1",
    "connection": "SELECT key FROM exchange_connection ORDER BY id LIMIT 1",
    "message": "SELECT key FROM exchange_message ORDER BY state = 'failed' DESC, id DESC LIMIT 1",
    "order": "SELECT key FROM diagnosis_ecgorder WHERE resident_id = 1 AND state <> 'reading' AND state <> 'queued' ORDER BY created_at DESC LIMIT 1",
    "waiting": "SELECT key FROM diagnosis_ecgorder WHERE state IN ('reading', 'queued') ORDER BY resident_id, created_at DESC LIMIT 1",
    "critical": "SELECT key FROM diagnosis_criticalvalue ORDER BY created_at DESC LIMIT 1",
    "referral": "SELECT key FROM referrals_referral WHERE resident_id = 1 ORDER BY created_at DESC LIMIT 1",
    "proposal": "SELECT key FROM referrals_downproposal ORDER BY id DESC LIMIT 1",
    "stay": "SELECT key FROM beds_stay ORDER BY id LIMIT 1",
    "department": "SELECT d.key FROM scheduling_schedule s JOIN organizations_department d ON d.id = s.department_id"
    " JOIN organizations_organization o ON o.id = s.organization_id WHERE o.name = '禾川县人民医院' ORDER BY s.id LIMIT 1",
    "follow_up": "SELECT f.key FROM referrals_followup f JOIN organizations_organization o ON o.id = f.unit_id"
    " WHERE o.name = '清溪镇卫生院' ORDER BY f.id DESC LIMIT 1",
    "other": "SELECT key FROM residents_resident WHERE id = 2",
    "visit": "SELECT key FROM visits_visit WHERE resident_id = 1 ORDER BY created_at DESC LIMIT 1",
    "resident": "SELECT key FROM residents_resident WHERE id = 1",
    "unit": "SELECT key FROM organizations_organization WHERE kind = 'township-center' ORDER BY id LIMIT 1",
    "colleague": "SELECT p.key FROM workforce_practitioner p JOIN workforce_post w ON w.practitioner_id = p.id WHERE w.role = 'nurse' ORDER BY p.id LIMIT 1",
    "contract": "SELECT key FROM contracts_contract WHERE resident_id = 1 ORDER BY created_at DESC LIMIT 1",
}


@contextmanager
def installation(at: str) -> Iterator[House]:
    """The one that runs at DIR:PORT, or a new one in a temporary folder."""
    if at:
        directory, _, port = at.rpartition(":")
        yield House(Path(directory), int(port))
        return
    with tempfile.TemporaryDirectory(prefix="doorstep-screens-", ignore_cleanup_errors=True) as folder:
        house = House(Path(folder) / "data", free_port())
        try:
            house.start()
            yield house
        finally:
            house.stop()


def act(cast: Cast, house: House, folder: Path) -> None:
    """An ECG of the heroine is uploaded, read and signed as critical; her doctor refers her; another ECG is being read."""
    village = VillageDoctor(cast)
    village.given_an_open_visit("胸闷 2 小时，伴出汗")
    village.and_i_measure("158", "96")
    village.when_i_order_an_ecg("胸闷 2 小时，伴出汗")
    village.when_i_upload(fresh_file(folder))
    village.then_it_is_on_its_way()
    order = key_of(house, "waiting")
    reader = EcgReader(cast, "ecg1")
    reader.when_i_look_at(order)
    reader.when_i_claim()
    reader.when_i_write_the_report_with_the_keyboard()
    reader.and_i_sign()
    fill_queue(village, folder)
    village.given_an_open_visit("胸闷好转，复查")
    village.when_i_order_an_ecg("胸闷好转，复查")
    village.when_i_upload(fresh_file(folder, Kind.INFERIOR_STEMI))
    village.then_it_is_on_its_way()
    reader.when_i_look_at(key_of(house, "waiting"))
    reader.when_i_claim()
    # Last, so that the clock of the green channel still runs on the pictures.
    village.me.go("/ecg/orders/")
    village.when_i_refer_with_one_click(order)
    village.page.screenshot(path=BUILT / "referral-edit-desk.png", full_page=True)
    village.when_i_hold_a_slot()
    village.and_i_submit_with_consent()
    Office(cast).then_it_waits_in_the_queue()
    house.operate("simulate-hospital", "--messages", "60", "--port", str(house.port + 2))


def fill_queue(village: VillageDoctor, folder: Path) -> None:
    """More ECGs that wait for a reader."""
    people = {one.id: one for one in hero_residents(datetime.now(UTC).date())}
    for number, kind, complaint in OTHERS:
        send(village, folder, people[number], kind, complaint)


def send(village: VillageDoctor, folder: Path, person: HeroResident, kind: Kind, complaint: str) -> None:
    """One resident's visit, order and recording."""
    page, me = village.page, village.me
    me.go("/residents/")
    page.locator("main input[name=q]").press_sequentially(person.name)
    page.locator("#found").get_by_role("link", name=re.compile(person.name)).first.click()
    me.press("接诊")
    page.fill("[name=complaint]", complaint)
    me.press("开始接诊")
    village.when_i_order_an_ecg(complaint, urgent=False)
    facts = PatientFacts(name=person.name, patient_id=person.national_id, national_id=person.national_id)
    taken_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    path = folder / f"{person.id}.dcm"
    path.write_bytes(to_dicom(synthesize(kind, seed=time.time_ns() % 10_000_000, taken_at=taken_at, patient=facts)))
    village.when_i_upload(path)
    village.then_it_is_on_its_way()


def key_of(house: House, name: str) -> str:
    """The key that a path names, or "" when there is no such thing."""
    if name == "kind":
        rows = house.sql("SELECT kind FROM worklist_task WHERE closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""
    rows = house.sql(KEYS[name])
    return str(rows[0][0]) if rows else ""


class Camera:
    """Takes the pictures and collects what is wrong on their pages."""

    def __init__(self, cast: Cast, house: House) -> None:
        self.cast = cast
        self.house = house
        self.seen: list[str] = []

    def take(self, screen: Screen) -> None:
        """One page at both sizes, in English where it is wanted."""
        person = self.cast.person(screen.username)
        keys = {name: key_of(self.house, name) for name in re.findall(r"\{(\w+)\}", screen.path)}
        if missing := [name for name, key in keys.items() if not key]:
            self.seen.append(f"{screen.name}: left out, there is no {', '.join(missing)} here yet")
            return
        path = screen.path.format_map(keys)
        said: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                said.append(f"{message.text} {message.location.get('url', '')}")

        if screen.before is not None:
            person.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
            screen.before(person)
        person.page.on("console", note)
        for place, size in (("desk", DESK), ("phone", PHONE)):
            self._picture(person, screen, f"{screen.name}-{place}", path, size)
        if screen.english:
            person.page.goto(f"/language/?lang=en&next={path}")
            self._picture(
                person, screen, f"{screen.name}-english", path, PHONE if screen.username in RESIDENTS else DESK
            )
            person.page.goto(f"/language/?lang=zh-hans&next={path}")
        person.page.remove_listener("console", note)
        self.seen += [f"{screen.name}: {line}" for line in dict.fromkeys(said)]

    def _picture(self, person: Person, screen: Screen, name: str, path: str, size: tuple[int, int]) -> None:
        page = person.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        answer = page.goto(path)
        page.wait_for_timeout(SETTLE_MS)
        if answer is None or answer.status != screen.status:
            self.seen.append(f"{name}: {path} answered {answer.status if answer else 'nothing'}")
        page.screenshot(path=BUILT / f"{name}.png")
        if screen.shown and name.endswith("-phone" if screen.username in RESIDENTS else "-desk"):
            # Fewer colours: the paper of an ECG makes a picture too large for a README.
            with Image.open(BUILT / f"{name}.png") as picture:
                picture.convert("RGB").quantize(128).save(SHOWN / f"{screen.shown}.png", optimize=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self.seen.append(f"{name}: {wide} px wider than the window")
        pattern = CHINESE if name.endswith("-english") else LATIN
        words = [word for word in pattern.findall(page.locator("body").inner_text()) if word not in KNOWN]
        if words:
            self.seen.append(f"{name}: {' '.join(dict.fromkeys(words))[:400]}")


def main() -> None:
    """Pictures of everything, or of the screens whose name holds --only."""
    parser = argparse.ArgumentParser(description="Pictures of the main pages")
    parser.add_argument("--at", default="", help="DIR:PORT of an installation that runs already")
    parser.add_argument("--as-it-is", action="store_true", help="do not walk the loop first")
    parser.add_argument("--only", default="", help="only screens whose name matches")
    given = parser.parse_args()
    BUILT.mkdir(parents=True, exist_ok=True)
    SHOWN.mkdir(parents=True, exist_ok=True)
    with installation(given.at) as house, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        cast = Cast(chromium, house)
        if not given.as_it_is:
            act(cast, house, Path(folder))
        camera = Camera(cast, house)
        for screen in SCREENS:
            if re.search(given.only, screen.name):
                camera.take(screen)
        sys.stdout.write("".join(f"{line}\n" for line in camera.seen))
        chromium.close()


if __name__ == "__main__":
    main()
