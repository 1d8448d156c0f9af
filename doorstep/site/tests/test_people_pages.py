"""Pages of residents, organisations, staff and auditors, opened as the people who use them."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import BreakGlassReview, User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.decimals import Exact
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist import queries as tasks
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import (
    START,
    ZHOU_NUMBER,
    World,
    make_resident,
    make_staff,
    make_world,
)
from doorstep.people.workforce.models import Post, Practitioner
from doorstep.site.accounts import MFA_SEEN
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

BUDGET = 12
FRAME = ("django_session", "access_user", "set_config", "mfa_authenticator", "SAVEPOINT", "notices_")


def signed_in(user: User) -> Client:
    """A browser of this user, second factor passed."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def own_account(resident: Resident, name: str = "zhou") -> User:
    """The account of a resident."""
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user(name, password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=resident, since=START)
    return user


def _world() -> tuple[World, Resident, User]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    return world, resident, make_staff(name="李长河", organization_id=world.village, role="village_doctor")


def within_budget(client: Client, address: str) -> str:
    """The page, after checking its queries."""
    with CaptureQueriesContext(connection) as asked:
        response = client.get(address)
    assert response.status_code == 200, (address, response.content.decode()[:500])
    own = [one["sql"] for one in asked if not any(name in one["sql"] for name in FRAME)]
    assert len(own) <= BUDGET, (address, own)
    return response.content.decode()


def test_portal_shows_the_own_record_and_who_looked() -> None:
    _, resident, li = _world()
    signed_in(li).get(f"/residents/{resident.key}/")
    actor = of_user(li)
    with acting(actor):
        visit = visits.open_visit(resident_id=resident.id, actor=actor, complaint="头晕")
        visits.record_vitals(visit=visit, actor=actor, systolic=150, diastolic=95)
    client = signed_in(own_account(resident))
    assert "150/95" in within_budget(client, "/me/")
    assert "头晕" in within_budget(client, "/me/record/")
    looks = within_budget(client, "/me/looks/")
    assert "李长河" in looks
    assert "查看了健康档案" in looks
    assert "因为家庭医生签约" in looks
    assert client.get(f"/residents/{resident.key}/").status_code == 403
    assert signed_in(li).get("/me/").status_code == 404


def test_an_entry_of_the_own_record_opens_on_the_phone_with_its_words_and_files() -> None:
    world, resident, li = _world()
    words = {"url": systems.PLAIN_WORDS, "valueString": "心跳节律正常。"}
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>出院带药三种</p></div>'
    subject = {"reference": f"Patient/{resident.key}"}
    file = {"resourceType": "Binary", "contentType": "text/plain", "data": "6LCi6LCi", "securityContext": subject}
    value = {"value": Exact("6.80"), "unit": "mmol/L"}
    sugar = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "血糖"},
        "subject": subject,
        "valueQuantity": value,
    }
    report = {
        "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "心电图报告"}, "subject": subject, "extension": [words],
        "result": [{"reference": "Observation/sugar"}],
        "conclusion": "窦性心律", "presentedForm": [{"contentType": "text/plain", "url": "Binary/paper", "title": "报告原文"}],
    }  # fmt: skip
    summary = {
        "resourceType": "Composition", "status": "final", "type": {"text": "出院小结"}, "subject": subject, "date": "2026-05-01",
        "author": [{"display": "宋怀远"}], "title": "出院小结", "section": [{"title": "出院医嘱", "text": {"status": "generated", "div": div}}],
    }  # fmt: skip
    keys = {"DiagnosticReport": "report", "Composition": "summary", "Binary": "paper", "Observation": "sugar"}
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for one in (report, summary, file, sugar):
            content = {**one, "id": keys[str(one["resourceType"])]}
            published = Published(content=content, organization_id=world.lead, occurred_at=resident.created_at)
            record.publish(published, resident_id=resident.id, actor=actor)
    own, other = (
        signed_in(own_account(resident)),
        signed_in(
            own_account(
                make_resident(organization_id=world.village, name="王秀英", number="439981195001010011"), "wang"
            )
        ),
    )
    page = within_budget(own, "/me/record/")
    assert "/me/record/DiagnosticReport/report/" in page
    opened = within_budget(own, "/me/record/DiagnosticReport/report/")
    assert opened.index("心跳节律正常。") < opened.index("窦性心律")
    assert "/me/files/paper/" in opened
    # The laboratory's places are those of the page.
    assert "6.80 mmol/L" in opened
    assert "出院带药三种" in within_budget(own, "/me/record/Composition/summary/")
    assert own.get("/me/files/paper/").content.decode() == "谢谢"
    for address in ("/me/record/DiagnosticReport/report/", "/me/files/paper/", "/me/record/DiagnosticReport/none/"):
        assert other.get(address).status_code == 404
        assert signed_in(li).get(address).status_code == 404


def test_a_system_that_asks_all_day_drives_no_doctor_off_the_list_of_looks() -> None:
    world, resident, li = _world()
    signed_in(li).get(f"/residents/{resident.key}/")
    his = Actor(kind=ActorKind.CLIENT, display_name="县医院 HIS", user_id=-1, organization_id=world.lead)
    with acting(his):
        for number in range(120):
            kind = "fhir.search" if number % 2 else "fhir.read"
            audit.record(action=kind, actor=his, subject="Observation", resident_id=resident.pk)
    page = within_budget(signed_in(own_account(resident)), "/me/looks/")
    assert "李长河" in page
    assert page.count("县医院 HIS") == 2


def test_portal_code_proves_presence() -> None:
    world, resident, _ = _world()
    page = signed_in(own_account(resident)).post("/me/code/").content.decode()
    shown = page.split('class="ds-code"')[1].split(">")[1].split("<")[0].replace(" ", "")
    zhao = signed_in(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    facts = {"number": ZHOU_NUMBER, "second": "code", "code": shown}
    assert zhao.post("/residents/presence/", facts).status_code == 302


def test_break_glass_is_shown_reviewed_and_told() -> None:
    world, resident, _ = _world()
    zhao = make_staff(name="赵远", organization_id=world.other_village, role="village_doctor")
    client = signed_in(zhao)
    facts = {"number": ZHOU_NUMBER, "reason": "抢救"}
    curt = client.post("/residents/emergency/", facts)
    assert curt.status_code == 422
    # Whoever says too little learns neither that she is registered nor that somebody else is not.
    nobody = client.post("/residents/emergency/", {**facts, "number": "439981196309150043"}).content.decode()
    assert [text.count("没有这个号码") for text in (curt.content.decode(), nobody)] == [0, 0]
    empty = client.post("/residents/emergency/", {"number": "", "reason": "抢救"}).content.decode()
    assert "请填写身份证号" in empty
    assert "至少填写 10 个字" in empty
    opened = client.post("/residents/emergency/", {**facts, "reason": "昏迷送来，急需了解既往用药和过敏情况"})
    assert opened.headers["Location"] == f"/residents/{resident.key}/"
    assert client.get(opened.headers["Location"]).status_code == 200
    auditor = signed_in(make_staff(name="白审计", organization_id=world.authority, role="auditor"))
    assert "昏迷送来" in within_budget(auditor, "/audit/reviews/")
    with acting(system_actor(Purpose.SEALING)):
        review = BreakGlassReview.objects.get()
        audit.seal_batch()
    assert "赵远" in within_budget(auditor, f"/audit/reviews/{review.key}/")
    assert auditor.post(f"/audit/reviews/{review.key}/", {"verdict": "justified"}).status_code == 422
    verdict = {"verdict": "justified", "judgement": "核对了当日急诊记录"}
    assert auditor.post(f"/audit/reviews/{review.key}/", verdict).status_code == 302
    assert auditor.post(f"/audit/reviews/{review.key}/", verdict).status_code == 409
    assert "紧急查阅了全部档案" in signed_in(own_account(resident)).get("/me/looks/").content.decode()


def test_trail_is_searched_by_auditors_only() -> None:
    world, resident, li = _world()
    signed_in(li).get(f"/residents/{resident.key}/")
    auditor = signed_in(make_staff(name="白审计", organization_id=world.authority, role="auditor"))
    found = within_budget(auditor, f"/audit/?number={ZHOU_NUMBER}&text=&day={timezone.localdate()}")
    assert "record.view" in found
    assert "李长河" in found
    assert "record.view" not in auditor.get("/audit/?number=439981196309150043").content.decode()
    assert auditor.get("/audit/?day=soon").status_code == 422
    assert signed_in(li).get("/audit/").status_code == 403


def test_organizations_and_members_on_a_day() -> None:
    world, _, li = _world()
    client = signed_in(li)
    assert "清溪镇卫生院" in within_budget(client, "/organizations/")
    key = Organization.objects.get(id=world.township).key
    assert "石桥村卫生室" in within_budget(client, f"/organizations/{key}/")
    assert "禾川县人民医院" in within_budget(client, "/organizations/members/?day=2025-01-01")
    assert "禾川县人民医院" not in within_budget(client, "/organizations/members/?day=2023-01-01")
    assert client.get("/organizations/members/?day=nonsense").status_code == 200


def test_staff_posts_and_switch() -> None:
    world, _, li = _world()
    person = Practitioner.objects.get(user=li)
    second = Post.objects.create(
        practitioner=person, organization_id=world.township, role="family_doctor", period=(START, None)
    )
    client = signed_in(li)
    assert "李长河" in within_budget(client, "/staff/")
    assert "家庭医生" in within_budget(client, f"/staff/{person.key}/")
    assert client.post("/session/post/", {"post": str(second.id)}).status_code == 302
    li.refresh_from_db()
    assert of_user(li).organization_id == world.township
    assert client.post("/session/post/", {"post": str(second.id + 99)}).status_code == 404
    assert client.post("/session/post/", {"post": "x"}).status_code == 404


def test_leave_gives_the_deputy_the_tasks() -> None:
    world, resident, li = _world()
    wu = make_staff(name="吴敏", organization_id=world.village, role="village_doctor")
    client = signed_in(li)
    today = timezone.localdate()
    facts = {"to_user_id": str(wu.pk), "starts_on": str(today), "ends_on": str(today - timedelta(days=1))}
    assert client.post("/staff/leave/", facts).status_code == 422
    assert client.post("/staff/leave/", {**facts, "ends_on": str(today), "to_user_id": "9999999"}).status_code == 422
    for_good = client.post("/staff/leave/", {**facts, "ends_on": str(today.replace(year=today.year + 100, day=1))})
    assert for_good.status_code == 422
    assert "最长一年" in for_good.content.decode()
    with acting(system_actor(Purpose.HANDLER)):
        worklist.open_task(
            worklist.NewTask(
                kind="visit.in_progress",
                item_id=1,
                item_key=resident.key,
                organization_id=world.village,
                assignee_id=li.pk,
            )
        )
    nurse = make_staff(name="罗燕", organization_id=world.village, role="nurse")
    # A deputy who may not do the tasks would not even see them.
    refused = client.post("/staff/leave/", {**facts, "ends_on": str(today), "to_user_id": str(nurse.pk)})
    offered = refused.content.decode()
    assert (refused.status_code, "吴敏 · 村医" in offered, "罗燕" in offered) == (422, True, False)
    deputy = of_user(wu)
    with acting(deputy):
        assert tasks.open_tasks(actor=deputy) == []
    assert client.post("/staff/leave/", {**facts, "ends_on": str(today)}).status_code == 302
    with acting(deputy):
        assert len(tasks.open_tasks(actor=deputy)) == 1
    assert "吴敏" in within_budget(client, "/staff/leave/")
    assert "代李长河" in within_budget(signed_in(wu), "/")
    end = re.findall(r'action="(/staff/leave/[^"]+/end/)"', within_budget(client, "/staff/leave/"))[0]
    assert signed_in(wu).post(end).status_code == 404
    assert client.post(end).status_code == 302
    with acting(deputy):
        assert tasks.open_tasks(actor=deputy) == []
    assert "代李长河" not in within_budget(signed_in(wu), "/")
    listed = within_budget(client, "/staff/leave/")
    assert ("已提前结束" in listed, end in listed) == (True, False)
    assert client.post(end).status_code == 409


def test_import_pages_from_upload_to_done() -> None:
    world, _, _ = _world()
    client = signed_in(make_staff(name="冯登", organization_id=world.village, role="registrar"))
    assert client.get("/residents/import/template.xlsx").status_code == 200
    template = client.get("/residents/import/template.xlsx").content
    from_browser = {"file": _upload("名册.xlsx", template)}
    checked = client.post("/residents/import/", from_browser)
    assert checked.status_code == 302
    assert "张示例" in within_budget(client, checked.headers["Location"])
    assert client.post(checked.headers["Location"], {"verb": "all"}).status_code == 302
    assert "名册.xlsx" in within_budget(client, "/residents/import/")
    assert client.post("/residents/import/", {"file": _upload("a.pdf", b"x")}).status_code == 422
    assert client.post("/residents/import/", {}).status_code == 422


def _upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)
