"""What the village doctor does: find, see, measure, order, upload, acknowledge, refer."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.people import Cast, Person
from tests.journeys.tracings import NAME, heroine

UPLOAD = "上传并送判读"


class VillageDoctor:
    """李长河 in 石桥村."""

    def __init__(self, cast: Cast) -> None:
        self.me: Person = cast.person("village")
        self.page: Page = self.me.page

    def when_i_look_for(self, words: str) -> None:
        """Type into the box of the search page."""
        self.me.go("/residents/")
        self.page.locator("main input[name=q]").press_sequentially(words)

    def then_i_find_her(self) -> None:
        """The list below the box shows her."""
        expect(self.page.locator("#found").get_by_role("link", name=re.compile(NAME))).to_be_visible()

    def then_i_find_nobody(self) -> None:
        """The page says so and names the ways that lead on."""
        expect(self.page.locator("#found")).to_contain_text("没有找到")

    def when_i_open_a_visit(self, complaint: str) -> None:
        """From the found resident to the open visit."""
        self.page.locator("#found").get_by_role("link", name=re.compile(NAME)).click()
        self.me.see("健康档案")
        self.me.check_page()
        self.me.press("接诊")
        self.page.fill("[name=complaint]", complaint)
        self.me.press("开始接诊")

    def given_an_open_visit(self, complaint: str) -> str:
        """A visit of hers; returns its address."""
        self.when_i_look_for("zgl")
        self.when_i_open_a_visit(complaint)
        expect(self.page).to_have_url(re.compile(r"/visits/[0-9a-f-]{36}/"))
        return self.page.url

    def and_i_measure(self, systolic: str, diastolic: str) -> None:
        """Blood pressure into the form of the visit."""
        self.page.fill("[name=systolic]", systolic)
        self.page.fill("[name=diastolic]", diastolic)
        self.me.press("保存测量值")

    def then_the_visit_shows(self, text: str) -> None:
        """The line of what was measured."""
        self.me.see(text)
        self.me.check_page()

    def when_i_order_an_ecg(self, reason: str, *, urgent: bool = True) -> None:
        """From the visit to the page of the upload."""
        self.me.press("申请心电")
        expect(self.page).to_have_url(re.compile("/ecg/orders/"))
        if self.page.url.endswith("/upload/"):
            # This visit has an order that waits for its file: a second one would be one too many.
            return
        self.page.fill("[name=indication]", reason)
        if urgent:
            self.page.check("[name=urgent]")
        if self.page.locator("[name=repeat_reason]").count():
            # An ECG of the last days stands: the doctor says why there is to be another one.
            self.page.select_option("[name=repeat_reason]", "R4" if urgent else "R1")
        self.me.check_page()
        self.me.press("下一步：上传心电图")
        expect(self.page.get_by_role("button", name=re.compile(UPLOAD))).to_be_visible()
        self.me.check_page()

    def when_i_upload(self, path: Path) -> None:
        """Choose the cart's file and send it."""
        self.page.set_input_files("[name=recording]", path)
        self.me.press(UPLOAD)

    def then_it_is_refused(self, sentence: str) -> None:
        """A sentence beside the field says why and what to do."""
        expect(self.page.locator("#ecg-sending [role=alert]")).to_contain_text(sentence)

    def then_it_is_on_its_way(self) -> None:
        """The page of the order shows that it waits for a reader."""
        expect(self.page).to_have_url(re.compile(r"/ecg/orders/[0-9a-f-]{36}/$"))
        self.me.see("待判读")
        self.me.check_page()

    def then_the_critical_value_comes_to(self, page: Page) -> None:
        """Another open page shows the dialog, pushed by the server."""
        dialog = page.locator("dialog[open]")
        expect(dialog).to_contain_text("危急值", timeout=30_000)

    def when_i_acknowledge_on(self, page: Page) -> None:
        """From the dialog to the case, and the big button."""
        page.locator("dialog[open]").get_by_role("button", name=re.compile("立即处理")).click()
        page.get_by_role("button", name=re.compile("确认收到")).click()
        expect(page.locator("main")).to_contain_text("处置中")

    def when_i_refer_with_one_click(self, order_key: str) -> None:
        """The button below the report."""
        self.me.go(f"/ecg/orders/{order_key}/")
        self.me.check_page()
        self.me.press("发起绿色通道转诊")
        expect(self.page).to_have_url(re.compile(r"/referrals/[0-9a-f-]{36}/edit/"))

    def then_everything_is_filled_in(self) -> None:
        """Target, reviewer, impression, history and reason come from the record; the benefits are decided with reasons."""
        for name in ("target_id", "reviewer_id", "impression", "present_illness", "history"):
            expect(self.page.locator(f"[name={name}]")).not_to_have_value("")
        expect(self.page.locator("[name=kind][value=green]")).to_be_checked()
        benefits = self.page.locator("#benefits")
        for title in ("先诊疗后付费", "免挂号费", "免起付线"):
            expect(benefits).to_contain_text(title)
        expect(benefits).to_contain_text("63")
        self.me.check_page()

    def when_i_hold_a_slot(self) -> None:
        """The first place of an expert."""
        self.page.locator("#slot-picker input[name=slot]").first.check()
        self.me.press("预留所选号源")
        self.me.see("已预留")

    def and_i_submit_with_consent(self) -> None:
        """The patient signs for herself."""
        self.page.fill("[name=consent_signer]", NAME)
        self.me.press("患者已知情同意，提交转诊")

    def then_it_is_sent(self) -> None:
        """The page of the referral shows that the hospital has it."""
        expect(self.page).to_have_url(re.compile(r"/referrals/[0-9a-f-]{36}/$"))
        self.me.see("绿色通道待受理")
        self.me.check_page()


def numbers_that_find_her() -> tuple[str, ...]:
    """Name, initials, phone and id card."""
    return NAME, "zgl", heroine().phone, heroine().national_id
