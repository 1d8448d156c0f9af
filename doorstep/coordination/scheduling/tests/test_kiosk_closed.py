"""A kiosk that many people use: slips of one are not another's, and staff open it again."""

import psycopg
from django.test import Client

from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic
from doorstep.coordination.scheduling.tests.test_kiosk import SYSTEM, facts_of, kiosk
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents import actions as residents
from doorstep.people.residents import terminals
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user


def slip(client: Client, number: str) -> str:
    """Somebody types a number with facts that do not fit it; what the machine says."""
    answer = client.post("/slots/kiosk/", {"number": number, "name": "某人", "phone_last_four": "0000"})
    assert answer.status_code == 422
    return answer.content.decode()


def some_numbers(count: int) -> list[str]:
    """Whole numbers, each with its right last character (GB 11643), of people born on one day."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    bodies = [f"43998119700101{one:03d}" for one in range(count)]
    ends = [sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11 for body in bodies]
    return [body + "10X98765432"[end] for body, end in zip(bodies, ends, strict=True)]


def close_it(client: Client, owner: psycopg.Connection) -> None:
    """Twenty slips of as many people in eight minutes."""
    for one, number in enumerate(some_numbers(20)):
        slip(client, number)
        if one > 3:
            pass_by(owner, 31)


def pass_by(owner: psycopg.Connection, seconds: int) -> None:
    """Every try happened so long before; the counting is the database's, and so is its clock."""
    owner.execute("UPDATE access_presenceattempt SET tried_at = tried_at - make_interval(secs => %s)", [seconds])


def desk_of(clinic: Clinic) -> Actor:
    """江雪琴 at the hospital's desk."""
    return of_user(make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk"))


def test_slips_of_many_people_do_not_close_the_kiosk(client: Client, owner_connection: psycopg.Connection) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    for number in some_numbers(7):
        slip(client, number)
        pass_by(owner_connection, 31)
    assert client.post("/slots/kiosk/", facts_of(clinic)).headers["Location"] == "/slots/kiosk/mine/"


def test_the_sixth_slip_of_a_quarter_of_an_hour_lets_the_machine_wait_half_a_minute(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    for number in some_numbers(5):
        slip(client, number)
    refused = client.post("/slots/kiosk/", facts_of(clinic))
    assert refused.status_code == 422
    assert "请 30 秒后再试" in refused.content.decode()
    pass_by(owner_connection, 31)
    assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302


def slips(client: Client, owner: psycopg.Connection, facts: dict[str, str], count: int) -> str:
    """Somebody tries a number so often with what does not fit it; what the machine said last."""
    for _slip in range(count):
        shown = client.post("/slots/kiosk/", facts).content.decode()
        pass_by(owner, 31)
    return shown


def second_machine(clinic: Clinic, name: str = "西门自助机") -> Client:
    """Another machine of the same hospital."""
    machine = Client()
    machine.force_login(make_staff(name=name, organization_id=clinic.world.lead, role="kiosk"))
    return machine


def wrong(facts: dict[str, str]) -> dict[str, str]:
    """The number with facts that do not fit it."""
    return {"number": facts["number"], "name": "某人", "phone_last_four": "0000"}


def code_of(clinic: Clinic) -> str:
    """The code on the resident's own phone."""
    person = Actor(kind=ActorKind.RESIDENT, user_id=None, resident_ids=(clinic.resident.pk,))
    with acting(person):
        return residents.make_presence_code(resident_id=clinic.resident.pk, actor=person)


def test_who_tries_another_number_at_one_machine_closes_it_there_and_nowhere_else(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    facts = facts_of(clinic)
    slips(client, owner_connection, wrong(facts), 5)
    refused = client.post("/slots/kiosk/", facts).content.decode()
    assert "本机" in refused
    assert "换一台自助机" in refused
    assert "带身份证到服务台办理" in refused
    assert second_machine(clinic).post("/slots/kiosk/", facts).status_code == 302
    desk = desk_of(clinic)
    with acting(desk):
        assert residents.prove_presence(actor=desk, **facts).presence_id


def test_a_number_is_guessed_at_no_more_often_by_going_from_machine_to_machine(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    facts = facts_of(clinic)
    slips(client, owner_connection, wrong(facts), 3)
    slips(second_machine(clinic), owner_connection, wrong(facts), 2)
    # Five in an hour, as at one machine before: a third one does not even try.
    refused = second_machine(clinic, "东门自助机").post("/slots/kiosk/", facts)
    assert refused.status_code == 422
    assert "换一台自助机" not in refused.content.decode()
    assert "到场码" in refused.content.decode()


def test_who_has_the_own_phone_gets_past_the_slips_of_others(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    facts = facts_of(clinic)
    slips(client, owner_connection, wrong(facts), 3)
    slips(second_machine(clinic), owner_connection, wrong(facts), 2)
    assert client.post("/slots/kiosk/", facts).status_code == 422
    by_code = {"number": facts["number"], "code": code_of(clinic)}
    assert client.post("/slots/kiosk/", by_code).headers["Location"] == "/slots/kiosk/mine/"


def test_codes_are_guessed_at_five_times_an_hour_and_close_no_other_way(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    facts, other = facts_of(clinic), second_machine(clinic)
    right = code_of(clinic)
    guess = {"number": facts["number"], "code": f"{(int(right) + 1) % 1_000_000:06d}"}
    slips(client, owner_connection, guess, 3)
    slips(other, owner_connection, guess, 2)
    refused = second_machine(clinic, "东门自助机").post("/slots/kiosk/", {**guess, "code": right})
    assert refused.status_code == 422
    assert "姓名" in refused.content.decode()
    assert client.post("/slots/kiosk/", facts).status_code == 302


def test_a_machine_is_closed_after_twenty_slips_until_the_desk_opens_it(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    close_it(client, owner_connection)
    assert "暂停使用" in slip(client, some_numbers(21)[20])
    # Whoever comes next reads it before typing anything.
    assert "暂停使用" in client.get("/slots/kiosk/").content.decode()
    desk = Client()
    desk.force_login(make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk"))
    page = desk.get("/slots/day/").content.decode()
    assert "大厅自助机已暂停" in page
    address = page.split('action="/slots/kiosks/')[1].split('"')[0]
    assert desk.post(f"/slots/kiosks/{address}").status_code == 302
    assert "已暂停" not in desk.get("/slots/day/").content.decode()
    with acting(SYSTEM):
        assert AuditEntry.objects.filter(action="terminal.open").count() == 1
    assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302


def test_the_desk_of_another_hospital_neither_sees_nor_opens_the_machine(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    clinic = make_clinic()
    kiosk(client, clinic)
    close_it(client, owner_connection)
    other = of_user(make_staff(name="远方", organization_id=clinic.world.other_village, role="clinic_desk"))
    with acting(other):
        assert terminals.closed_at(actor=other) == []
    mine = desk_of(clinic)
    with acting(mine):
        (closed,) = terminals.closed_at(actor=mine)
    with acting(other):
        assert not terminals.open_again(user_id=closed.user_id, actor=other)
    with acting(mine):
        assert terminals.closed_at(actor=mine)
        assert terminals.open_again(user_id=closed.user_id, actor=mine)
