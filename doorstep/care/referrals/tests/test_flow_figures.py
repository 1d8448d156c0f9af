"""Every figure of the board: its cases are as many as it says, and their Excel file has the lines of the page."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db
_LINK = re.compile(r'href="([^"]*/flow/cases/\?[^"]*)"[^>]*>(.*?)</a>(.*?)(?=<a |</tr>|</div>)', re.DOTALL)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|^\d{4,}$")


def county(loop: Loop) -> None:
    """Referrals of every direction, some refused, returned, left and late; two of the same pair of units in two directions."""
    first = referral_in(loop, "handed_back")
    world = loop.world
    variants: list[dict[str, Any]] = [
        {"state": "declined", "decline_code": "no-bed"},
        {"state": "declined", "decline_code": "no-bed", "direction": "side"},
        {"state": "submitted", "return_code": "missing-exam", "target_id": world.township},
        {"state": "submitted", "offer_refusal": "distance", "target_id": world.other_township},
        {"state": "discharged", "back_code": "no-medicine"},
        {"state": "outside", "direction": "out", "target_id": None, "outside_name": "省人民医院", "outside_reason": "no-skill"},
        {"state": "outside", "direction": "out", "target_id": None, "outside_name": "省肿瘤医院", "outside_reason": "no-skill"},
        {"state": "outside", "direction": "out", "target_id": None, "outside_name": "省肿瘤医院", "outside_reason": "patient-choice"},
        {"state": "withdrawn", "target_id": None},
        {"state": "handed_back", "direction": "down", "source_id": world.lead, "receiver_id": world.township},
    ]  # fmt: skip
    now = timezone.now()
    with acting(system_actor(Purpose.HANDLER)):
        for number, changes in enumerate(variants):
            copy = Referral.objects.get(pk=first.pk)
            copy.pk, copy.key, copy._state.adding = None, uuid4(), True
            copy.created_at, copy.origin = now - timedelta(hours=number), ""
            for name, value in changes.items():
                setattr(copy, name, value)
            copy.save(force_insert=True)
        Task.objects.filter(item_id=first.pk, closed_at__isnull=True).update(due_at=now - timedelta(hours=1))
        # Seen for an hour before the bed was free: a second wait.
        Referral.objects.filter(pk=first.pk).update(treated_at=now - timedelta(hours=1), admitted_at=now)
        common = {
            "resident_id": loop.resident.pk,
            "resident_key": loop.resident.key,
            "patient_name": loop.resident.name,
            "ward": "神经内科",
            "disease": "stroke",
            "diagnosis": "脑梗死恢复期",
            "hospital_id": world.lead,
            "state": "refused",
            "state_since": now,
        }
        codes = [{"unit": world.township, "code": "no-bed"}, {"unit": world.other_township, "code": "no-bed"}]
        DownProposal.objects.create(**common, stay_key=uuid4(), receiver_id=world.township, receiver_codes=codes)
        DownProposal.objects.create(**common, stay_key=uuid4(), ward_code="not-stable")


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table of cases."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")[1:]]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in rows if len(row) > 1]


def test_every_figure_opens_as_many_cases_and_its_file_has_the_same_lines() -> None:
    loop = make_loop()
    county(loop)
    client = Client()
    client.force_login(make_staff(name="统筹", organization_id=loop.world.lead, role="manager", username="flows"))
    board = client.get(reverse("referrals:flow")).content.decode()
    seen: dict[str, int] = {}
    for address, inside, after in _LINK.findall(board):
        figure = re.search(r"\d[\d,]*", re.sub(r"<[^>]+>|\d+ 天", " ", inside)) or re.search(r"<b>(\d+)</b>", after)
        what = unescape(address).partition("what=")[2]
        page = client.get(unescape(address)).content.decode()
        rows = rows_of(page)
        _compare_file(client, unescape(address), rows)
        if not what.startswith(("first-wait", "second-wait")) and "等候" not in inside and figure:
            said = int((figure.group(1) if figure.re.groups else figure.group()).replace(",", ""))
            assert len(rows) == said, (what, said, rows)
        seen[what.replace("%3A", ":").replace("%7C", "|")] = len(rows)
    flows = {what: count for what, count in seen.items() if what.startswith("flow:")}
    assert sum(flows.values()) == 11
    world = loop.world
    assert flows[f"flow:{world.village}-{world.lead}-side"] == 1
    assert seen["return:missing-exam"] == seen["back:no-medicine"] == seen["offer:distance"] == 1
    assert seen["down-refused:no-bed"] == 2
    assert seen["down-refused"] == 3
    assert seen["overdue"] == 1
    assert seen["second-wait"] >= 1


def _compare_file(client: Client, address: str, rows: list[list[str]]) -> None:
    answer = client.get(address.replace("/cases/", "/cases.xlsx"))
    assert answer["Content-Type"].endswith("sheet")
    heads, *lines = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert all(re.search(r"[\u4e00-\u9fff]", str(head)) for head in heads)
    assert [line[0] for line in lines] == [row[0] for row in rows]
    assert not [cell for line in lines for cell in line[1:] if isinstance(cell, str) and _ID.search(cell)]
    reasons = [line[heads.index("原因")] for line in lines]
    shown = "down-refused" in address or not any(word in address for word in ("wait", "overdue"))
    if shown:
        assert [one or "—" for one in reasons] == [row[3 if "down-refused" in address else -1] for row in rows], address
