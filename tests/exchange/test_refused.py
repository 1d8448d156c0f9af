"""What a registered sender was refused: its engineer sees why, opens it, and takes it once the cause is gone."""

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.exchange import refused
from doorstep.kernel.exchange.models import Connection, Message, Refusal
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from tests.exchange.factories import adt, make_connection, oru, refuse, system, take, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def his(world: World) -> Connection:
    make_resident(organization_id=world.village, panel_of=(world.lead,))
    return make_connection(world.lead)


@pytest.fixture
def engineer(client: Client, world: World) -> Client:
    client.force_login(make_staff(name="高工", organization_id=world.lead, role="engineer"))
    return client


def test_list_names_the_reason_and_leads_to_the_message(engineer: Client, his: Connection) -> None:
    training = refuse(his, adt("A01", "T1", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    refuse(his, adt("A01", "V1", at="20260501080500").replace("|P|2.4|", "|P|2.8|"))
    refuse(his, adt("A01", "V1", at="20260501080500").replace("|P|2.4|", "|P|2.8|"))
    front = engineer.get(reverse("exchange:connections")).content.decode()
    assert "被拒收 2" in front
    page = engineer.get(reverse("exchange:refused")).content.decode()
    assert "是测试消息" in page
    assert "消息的版本是 2.8，这里支持 2.3 至 2.5.1。" in page
    assert "共 2 次" in page
    opened = engineer.get(reverse("exchange:refusal", args=[training.key])).content.decode()
    assert "接收测试消息" in opened
    assert "ADT^A01" in opened
    for secret in ("周桂兰", ZHOU_NUMBER, "19630915"):
        assert secret not in opened
    with acting(system()):
        assert AuditEntry.objects.filter(action="exchange.view-refused").count() == 1


def test_taking_again_says_no_until_the_cause_is_gone(engineer: Client, his: Connection) -> None:
    training = refuse(his, adt("A01", "T1", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    address = reverse("exchange:take-refusal", args=[training.key])
    assert "仍然不能接收" in engineer.post(address, follow=True).content.decode()
    with acting(system()):
        assert not Message.objects.exists()
        Connection.objects.update(accepts_training=True)
    assert "已接收" in engineer.post(address, follow=True).content.decode()
    work(his)
    with acting(system()):
        taken = Message.objects.get()
        assert (taken.control_id, taken.state) == ("T1", "applied")
        training.refresh_from_db()
        assert training.message == taken
    assert "没有被拒收的消息" in engineer.get(reverse("exchange:refused")).content.decode()
    assert "已接收" in engineer.get(reverse("exchange:refused"), {"all": "on"}).content.decode()


def test_characters_that_were_set_wrongly_are_read_rightly_afterwards(engineer: Client, his: Connection) -> None:
    declared = adt("A01", "G1", at="20260501080500")
    told = refuse(his, declared.encode("gb18030"))
    assert (told.reason, told.place) == ("charset", "MSH-18")
    engineer.post(reverse("exchange:connection", args=[his.key]), {"name": "HIS", "encoding": "gb18030"})
    engineer.post(reverse("exchange:act-refused", args=[his.key, "take"]), {"reason": "charset"})
    work(his)
    with acting(system()):
        taken = Message.objects.get()
        assert (taken.charset, taken.state) == ("gb18030", "applied")
        assert "周桂兰" in taken.body


def test_refusal_is_settled_by_the_message_that_came_after_all(engineer: Client, his: Connection) -> None:
    refuse(his, oru("L1").replace("|P|2.4|", "|P|3.0|"))
    refuse(his, oru("L2").replace("|P|2.4|", "|P|3.0|"))
    take(his, oru("L1"))
    page = engineer.get(reverse("exchange:refused")).content.decode()
    # In tags: a page carries random tokens too.
    assert ">L1<" not in page
    assert ">L2<" in page
    found = engineer.get(reverse("exchange:messages"), {"control_id": "L2"}).content.decode()
    assert "这个控制号有 1 条被拒收" in found
    assert ">warn<" not in found
    found = engineer.get(reverse("exchange:messages"), {"control_id": "L1"}).content.decode()
    assert "条被拒收" not in found
    engineer.post(reverse("exchange:act-refused", args=[his.key, "settle"]), {"reason": "version"})
    assert ">L2<" not in engineer.get(reverse("exchange:refused")).content.decode()


def test_head_alone_is_not_taken(engineer: Client, his: Connection) -> None:
    cut = refuse(his, adt("A01", "C1", at="20260501080500").replace("|P|2.4|", "|P|2.9|"))
    with acting(system()):
        Refusal.objects.update(whole=False, reason="cut")
    assert "没有传完" in engineer.get(reverse("exchange:refusal", args=[cut.key])).content.decode()
    answer = engineer.post(reverse("exchange:take-refusal", args=[cut.key]))
    assert answer.status_code == 422
    with acting(system()):
        assert not Message.objects.exists()


def test_refusals_do_not_fill_the_disk(his: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "KEPT", 3)
    for number in range(5):
        refuse(his, adt("A01", f"T{number}", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    with acting(system()):
        assert set(Refusal.objects.values_list("control_id", flat=True)) == {"T2", "T3", "T4"}


def test_other_units_see_nothing(client: Client, world: World, his: Connection) -> None:
    told = refuse(his, adt("A01", "T1", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    client.force_login(make_staff(name="外院工程师", organization_id=world.township, role="engineer"))
    assert "T1" not in client.get(reverse("exchange:refused")).content.decode()
    assert client.get(reverse("exchange:refusal", args=[told.key])).status_code == 404


def test_list_asks_the_database_the_same_for_twenty_lines(
    engineer: Client, his: Connection, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(20):
        refuse(his, adt("A01", f"T{number}", at="20260501080500").replace("|P|2.4|", "|T|2.4|"))
    engineer.get(reverse("exchange:refused"))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert engineer.get(reverse("exchange:refused")).content.decode().count("T1") >= 11


@pytest.mark.parametrize(
    "asked", [{"before": "x"}, {"connection": "x"}, {"reason": "x"}, {"control_id": "\0"}, {"before": "9" * 30}]
)
def test_odd_questions_are_told(engineer: Client, his: Connection, asked: dict[str, str]) -> None:
    assert engineer.get(reverse("exchange:refused"), asked).status_code in (200, 400, 404, 422)
    assert engineer.get(reverse("exchange:messages"), asked).status_code in (200, 400, 404, 422)
