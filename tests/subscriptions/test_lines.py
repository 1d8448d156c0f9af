"""A hospital's own system is told in HL7 v2 of its reports, bookings, visits and people: in order, until it has taken them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.diagnosis.tests.factories import Loop, make_loop, signed
from doorstep.coordination.hospital_systems.v2.reading import Read
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot
from doorstep.coordination.visits import actions as visits
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.exchange.mllp.envelope import open_envelope
from doorstep.kernel.exchange.mllp.framing import Framer, frame
from doorstep.kernel.exchange.models import Connection, Message
from doorstep.kernel.subscriptions.models import Notification, Subscription
from doorstep.people.residents import actions as residents
from doorstep.people.residents.tests.factories import make_staff
from tests.exchange.factories import adt, make_connection, oru, system, take
from tests.subscriptions.receiver import SYSTEM, run, states, the_only, wait_no_longer

pytestmark = pytest.mark.django_db


@dataclass
class Hospital:
    """A system that listens: what it was told, and what it answers: a code, or "" for silence."""

    port: int
    answer: str = "AA"
    heard: list[Read] = field(default_factory=list)

    def types(self) -> list[str]:
        """The kinds of messages that came, in order."""
        return [f"{one.header.text(9)}^{one.header.text(9, 2)}" for one in self.heard]


@contextmanager
def hospital() -> Iterator[Hospital]:
    """A system that takes messages over MLLP until the block ends."""
    server = socket.create_server(("127.0.0.1", 0))
    found = Hospital(server.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                line, _address = server.accept()
            except OSError:
                return
            with line:
                framer = Framer(limit=10**6)
                pieces = framer.feed(line.recv(4096))
                while not pieces:
                    pieces = framer.feed(line.recv(4096))
                read = Read(open_envelope(pieces[0].data).text)
                found.heard.append(read)
                if found.answer:
                    control = read.header.text(10)
                    line.sendall(
                        frame(
                            f"MSH|^~\\&|HIS||||20260501||ACK|9|P|2.4\rMSA|{found.answer}|{control}|床位不存在\r".encode()
                        )
                    )

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def engineer_of(client: Client, unit: int) -> Client:
    client.force_login(make_staff(name="高工", organization_id=unit, role="engineer"))
    return client


def open_line(
    engineer: Client, his: Connection, port: int, *kinds: str, version: str = "2.4", encoding: str = "utf-8"
) -> None:
    facts = {
        "host": "127.0.0.1", "port": port, "kinds": kinds or ["reports", "bookings", "visits", "people"],
        "version": version, "encoding": encoding,
    }  # fmt: skip
    answer = engineer.post(reverse("exchange:line", args=[his.key]), facts)
    assert answer.status_code == 302, answer.content.decode()


def in_gb18030(unit: int) -> Connection:
    his = make_connection(unit)
    with acting(SYSTEM):
        Connection.objects.filter(pk=his.pk).update(encoding="gb18030")
    return his


def test_a_report_its_visit_and_its_person_reach_the_hospital_that_ordered(client: Client) -> None:
    """Ordered, measured and signed at the centre; the hospital's own message comes not back; a stranger's line hears nothing."""
    loop: Loop = make_loop()
    his = in_gb18030(loop.world.village)
    other = make_connection(loop.world.other_village, application="OTHER")
    centre = make_connection(loop.world.ecg_center, application="ECG")
    with hospital() as own, hospital() as strange, hospital() as asked:
        client.force_login(make_staff(name="村工", organization_id=loop.world.village, role="engineer"))
        open_line(client, his, own.port, version="2.5.1", encoding="gb18030")
        client.force_login(make_staff(name="他工", organization_id=loop.world.other_village, role="engineer"))
        open_line(client, other, strange.port)
        client.force_login(make_staff(name="心工", organization_id=loop.world.ecg_center, role="engineer"))
        open_line(client, centre, asked.port, "orders", version="2.3")
        order = signed(loop)
        take(his, adt("A01", "M1", at="20260501080500"), oru("L1"))
        village = loop.actor("village")
        with acting(village):
            residents.change(
                resident=loop.resident, actor=village, phone="19900004321", address="石桥村 | 3 组", groups=()
            )
            visits.finish(visit=Visit.objects.get(), actor=village)
        run()
        assert own.types() == ["ADT^A04", "ORU^R01", "ADT^A31", "ADT^A03"]
        assert strange.heard == []
        assert asked.types() == ["ORM^O01"]
        ordered = asked.heard[0]
        assert (ordered.header.text(12), ordered.header.text(9, 3), ordered.header.text(18)) == (
            "2.3",
            "",
            "UNICODE UTF-8",
        )
        assert (ordered.need("ORC").text(1), ordered.need("ORC").text(2)) == ("NW", str(order.key))
        assert ordered.need("PID").text(5) == "周桂兰"
        assert ordered.need("OBR").text(4, 2)
        report, person = own.heard[1], own.heard[2]
        assert (own.heard[0].header.text(12), own.heard[0].header.text(9, 3)) == ("2.5.1", "ADT_A01")
        assert (report.header.text(5), report.header.text(18)) == ("HIS", "GB 18030-2000")
        assert (report.need("PID").text(5), report.need("PID").text(19)) == ("周桂兰", loop.resident.national_id)
        assert report.need("OBR").text(2) == str(order.key)
        assert report.need("OBR").text(25) == "F"
        values = {one.text(3): (one.text(2), one.text(6)) for one in report.all("OBX")}
        assert values["8867-4"] == ("NM", "次/分")
        assert values["CONCLUSION"][0] == "TX"
        assert person.need("PID").text(13) == "19900004321"
        assert person.need("PID").whole(11) == "石桥村 | 3 组"
        assert len({one.header.text(10) for one in own.heard}) == 4
        with acting(SYSTEM):
            assert AuditEntry.objects.filter(action="fhir.notify", resident_id=loop.resident.pk).count() == 5


def test_bookings_are_told_and_a_refusal_holds_up_nobody(client: Client) -> None:
    """AR: a dead letter at once, replayed by its kind; silence: tried again, nothing goes past; a span of time goes out again."""
    clinic = make_clinic()
    his = make_connection(clinic.world.lead)
    engineer = engineer_of(client, clinic.world.lead)
    page = reverse("exchange:connection", args=[his.key])
    slot = make_slot(clinic, referral=1, own=2)
    with hospital() as own:
        open_line(engineer, his, own.port, "bookings")
        own.answer = "AR"
        with acting(clinic.doctor):
            held = scheduling.hold(
                slot_key=slot.key, origin="referral", actor=clinic.doctor, resident_id=clinic.resident.id
            )
            booking = scheduling.book(hold_key=held.key, resident_id=clinic.resident.id, actor=clinic.doctor)
        run()
        assert (own.types(), states()) == (["SIU^S12"], [(1, "dead")])
        shown = engineer.get(page).content.decode()
        assert "对方拒收（AR）" in shown
        assert "发出未送达 1" in engineer.get(reverse("exchange:connections")).content.decode()
        own.answer = ""
        with acting(clinic.doctor):
            scheduling.cancel(booking_key=booking.key, actor=clinic.doctor, reason="患者改期")
        for _try in range(7):
            run()
            wait_no_longer()
        assert states() == [(1, "dead"), (2, "waiting")]
        assert the_only().state == Subscription.State.ACTIVE
        assert "未连通" in engineer.get(page).content.decode()
        own.answer, told = "AA", len(own.heard)
        assert engineer.post(reverse("exchange:again", args=[his.key]), {"kind": "rejected"}).status_code == 302
        run()
        # The booking is over, and with it the hospital's sight of the person: that it is over is all that is told.
        assert own.types()[told:] == ["SIU^S15"]
        assert states() == [(1, "skipped"), (2, "delivered")]
        assert "另有 1 条不需或不能告知" in engineer.get(page).content.decode()
        plan = own.heard[-1].need("SCH")
        assert (plan.text(1), plan.text(9), plan.text(25)) == (str(booking.key), "30", "CANCELLED")
        assert own.heard[told].header.text(10) == own.heard[1].header.text(10) != own.heard[0].header.text(10)
        _replayed_by_time(engineer, his, own)
        assert engineer.post(reverse("exchange:close-line", args=[his.key]), {}).status_code == 302
        assert the_only().state == Subscription.State.OFF
        with acting(SYSTEM):
            assert set(Notification.objects.values_list("error_kind", flat=True)) == {"", "unseen"}


def _replayed_by_time(engineer: Client, his: Connection, own: Hospital) -> None:
    """Both directions; a span that ends before it begins is refused."""
    now = timezone.localtime()
    span = {"direction": "out", "since": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}"}
    again = reverse("exchange:again", args=[his.key])
    assert engineer.post(again, {**span, "until": span["since"]}).status_code == 422
    until = f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    assert engineer.post(again, {**span, "until": until}).status_code == 302
    run()
    assert own.types()[-2:] == ["SIU^S15", "SIU^S15"]
    take(his, adt("A01", "M1", at="20260501080500"))
    assert engineer.post(again, {**span, "direction": "in", "until": until}).status_code == 302
    with acting(system()):
        assert Message.objects.get().replays == 1
