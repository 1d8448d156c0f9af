"""What hospital, township and family doctor do with a referral."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.people import Cast, Person
from tests.journeys.tracings import NAME, heroine


class Staff:
    """Somebody with a list of referrals on the left and one on the right."""

    def __init__(self, cast: Cast, username: str) -> None:
        self.me: Person = cast.person(username)
        self.page: Page = self.me.page

    def when_i_open(self, key: str) -> None:
        """One referral."""
        self.me.go(f"/referrals/{key}/")

    def then_i_see_the_state(self, label: str) -> None:
        """The state's label in the head of the thing."""
        expect(self.page.locator(".ds-head")).to_contain_text(label)
        self.me.check_page()

    def when_i(self, act: str, **fields: str) -> None:
        """Press the act's button, fill in its dialog if it has one, and send it."""
        self.page.locator(".ds-head-actions").get_by_role("button", name=re.compile(f"^{act}")).click()
        self.page.wait_for_load_state()
        dialog = self.page.locator("dialog[open]")
        if dialog.count():
            for name, value in fields.items():
                dialog.locator(f"[name={name}]").fill(value)
            dialog.get_by_role("button", name=re.compile(f"^{act}")).click()
            self.page.wait_for_load_state()


class Office(Staff):
    """The referral office of the hospital."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast, "office")

    def then_it_waits_in_the_queue(self) -> None:
        """Green comes first, with its clock."""
        self.me.go("/referrals/office/")
        expect(self.page.locator("#referral-list li").first).to_contain_text(NAME)
        self.me.check_page()

    def when_i_check_her_in_by_id(self) -> None:
        """The number of the id card into the box of the desk."""
        self.page.fill("#check-in-code", heroine().national_id)
        self.page.keyboard.press("Enter")
        self.me.see("已报到")


class Specialist(Staff):
    """宋怀远 of cardiology."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast, "expert")

    def then_i_see_the_whole_record(self) -> None:
        """From the referral to the one timeline."""
        self.me.press("查看完整档案")
        timeline = self.page.locator("#timeline")
        for text in ("血压", "心电"):
            expect(timeline).to_contain_text(text)
        self.me.check_page()

    def when_i_admit(self) -> None:
        """Ward and bed."""
        self.page.locator(".ds-head-actions").get_by_role("link", name=re.compile("收治入院")).click()
        self.page.fill("[name=ward]", "心血管内科一病区")
        self.page.fill("[name=bed]", "12")
        self.me.check_page()
        self.me.press("收治入院")

    def when_i_discharge_with_a_plan(self) -> None:
        """Summary, two medicines, follow-up on days 3, 7 and 30, warning signs."""
        self.page.locator(".ds-head-actions").get_by_role("link", name=re.compile("出院")).click()
        self.page.fill("[name=diagnosis]", "急性下壁心肌梗死，PCI 术后")
        self.page.fill("[name=findings]", "冠脉造影示右冠中段闭塞，植入支架一枚。")
        self.page.fill("[name=summary]", "急诊 PCI，术后双联抗血小板、他汀及降压治疗，恢复好。")
        for day in ("3", "7", "30"):
            self.page.check(f"[name=follow_up_days][value='{day}']")
        for row, (name, dose) in enumerate((("阿司匹林肠溶片", "100 mg"), ("替格瑞洛片", "90 mg"))):
            self.page.locator("[name=medicine_name]").nth(row).fill(name)
            self.page.locator("[name=medicine_dose]").nth(row).fill(dose)
            self.page.locator("[name=medicine_days]").nth(row).fill("30")
        self.page.fill("[name=contact_phone]", "0731-23000002")
        self.me.check_page()
        self.me.press("保存小结和计划，办理出院")


class FamilyDoctor(Staff):
    """何文静 of the township's centre."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast, "family")

    def when_i_do_the_follow_up_of_day(self, day: int) -> None:
        """Blood pressure, no symptoms, regular medicines."""
        self.page.get_by_role("link", name=re.compile(f"第 {day} 天")).first.click()
        self.page.wait_for_load_state()
        self.page.check("[name=way][value=clinic]")
        self.page.fill("[name=systolic]", "132")
        self.page.fill("[name=diastolic]", "82")
        self.page.fill("[name=pulse]", "72")
        self.page.locator("[name=adherence]").first.check()
        self.page.fill("[name=advice]", "继续服药，低盐饮食，7 天后复测。")
        self.me.check_page()
        self.me.press("完成随访")
