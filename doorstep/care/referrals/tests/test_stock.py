"""A unit's count of medicines: taken over whole or not at all, and what the search for receivers makes of it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, down_queries, stock_sheet
from doorstep.care.referrals.down_rules import Needs
from doorstep.care.referrals.models import StockLine
from doorstep.care.referrals.tests.factories import make_loop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound, NotPermitted
from doorstep.kernel.access.session import acting
from doorstep.kernel.terminology import actions as terminology
from doorstep.kernel.terminology import reading
from doorstep.people.organizations.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _medicines() -> None:
    """The list of medicines that the house brings."""
    facts = next(one for one in reading.manifest() if one.system == down_queries.MEDICINES)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        terminology.import_system(facts=facts, folder=reading.DATA, actor=actor)


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("stock.xlsx", content)


def test_a_count_replaces_the_earlier_one_and_a_faulty_file_changes_nothing() -> None:
    loop = make_loop()
    client = Client()
    client.force_login(loop.users["family"])
    pattern = client.get(reverse("referrals:stock-file")).content
    lines = stock_sheet.read(pattern)
    assert len(lines) > 5
    some = [(one.code, one.name, 12, "盒") for one in lines[:3]]
    assert client.post(reverse("referrals:stock"), {"file": upload(stock_sheet.write(some))}).status_code == 302
    assert StockLine.objects.filter(organization_id=loop.world.township, quantity=12).count() == 3
    by_name = [("", lines[4].name, 7, "瓶")]
    assert client.post(reverse("referrals:stock"), {"file": upload(stock_sheet.write(by_name))}).status_code == 302
    assert list(StockLine.objects.values_list("code", "quantity")) == [(lines[4].code, 7)]
    wrong = [("", "不存在的药", 3, "盒"), (lines[0].code, lines[0].name, 3, "盒")]
    refused = client.post(reverse("referrals:stock"), {"file": upload(stock_sheet.write(wrong))})
    assert refused.status_code == 422
    assert "第 2 行 不存在的药" in refused.content.decode()
    for bad in (b"", b"PK\x03\x04 nonsense", b"a,b\n1,2"):
        assert client.post(reverse("referrals:stock"), {"file": upload(bad)}).status_code == 422
    minus = stock_sheet.write([(lines[0].code, lines[0].name, -1, "盒")])
    assert client.post(reverse("referrals:stock"), {"file": upload(minus)}).status_code == 422
    assert list(StockLine.objects.values_list("code", "quantity")) == [(lines[4].code, 7)]
    with acting(loop.sister), pytest.raises(NotFound):
        actions.count_stock(organization_id=loop.world.township, lines=[], actor=loop.sister)
    with acting(loop.village), pytest.raises(NotPermitted):
        actions.count_stock(organization_id=loop.world.township, lines=[], actor=loop.village)


def test_receivers_are_chosen_by_stock_with_a_substitute_and_an_old_count_is_unknown() -> None:
    loop = make_loop()
    needs = Needs(medicines=(("atorvastatin-20", "阿托伐他汀钙片"),))
    home = Organization.objects.get(pk=loop.world.village)

    def state(quantities: dict[str, int]) -> tuple[bool, dict[str, str], tuple[str, ...]]:
        with acting(loop.family):
            counted = [stock_sheet.Counted(2, code, code, count, "盒") for code, count in quantities.items()]
            actions.count_stock(organization_id=loop.world.township, lines=counted, actor=loop.family)
            found = {one.unit.id: one for one in down_queries.receivers_for(home=home, needs=needs)}
        mine = found[loop.world.township]
        return mine.able, dict(mine.substitutes), mine.unknown

    assert state({"atorvastatin-20": 5}) == (True, {}, ())
    assert state({"atorvastatin-20": 0, "simvastatin-20": 5}) == (True, {"atorvastatin-20": "simvastatin-20"}, ())
    assert state({"atorvastatin-20": 0, "amlodipine-5": 9}) == (False, {}, ())
    StockLine.objects.update(counted_at=timezone.now() - timedelta(days=8))
    with acting(loop.family):
        found = {one.unit.id: one for one in down_queries.receivers_for(home=home, needs=needs)}
    assert found[loop.world.township].unknown == ("medicine:atorvastatin-20",)
