"""A sender is bound to the address and the certificate with which it calls: a message says itself whose it is."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse

from doorstep.demo.hospital.wire import Sender, code_of
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.mllp import senders
from doorstep.kernel.exchange.mllp.senders import Caller, names_in
from doorstep.kernel.exchange.models import Connection, Message, Stranger
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from tests.exchange.factories import adt, make_connection, system, take
from tests.exchange.test_server import ingesting


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


def _address(connection: Connection) -> list[str]:
    with acting(system()):
        return Connection.objects.get(pk=connection.pk).addresses


@pytest.mark.django_db
def test_a_sender_from_everywhere_is_named_and_bound_with_one_press(engineer: Client, his: Connection) -> None:
    take(his, adt("A01", "M1", at="20260501080500"))
    with acting(system()):
        Message.objects.update(address="10.1.2.3")
    page = engineer.get(reverse("exchange:connections")).content.decode()
    assert "来源未限定的发送方" in page
    assert "只收 10.1.2.3" in page
    # The page asks for its list again every 15 seconds.
    part = engineer.get(reverse("exchange:connections"), headers={"hx-request": "true", "hx-target": "list"})
    assert (part.status_code, "只收 10.1.2.3" in part.content.decode()) == (200, True)
    bind = reverse("exchange:act", args=[his.key, "bind"])
    # Only what was seen: what somebody writes into the form is no address of the sender.
    assert engineer.post(bind, {"address": "10.9.9.9"}).status_code == 422
    assert engineer.post(bind, {"address": "10.1.2.3"}).status_code == 302
    assert _address(his) == ["10.1.2.3/32"]
    assert "来源未限定的发送方" not in engineer.get(reverse("exchange:connections")).content.decode()
    with acting(system()):
        assert AuditEntry.objects.filter(action="exchange.bind").count() == 1
        Connection.objects.filter(pk=his.pk).update(addresses=["10.0.0.0/8"])
    # A page that stood open does not narrow what was set since.
    assert engineer.post(bind, {"address": "10.1.2.3"}).status_code == 422
    assert _address(his) == ["10.0.0.0/8"]


@pytest.mark.django_db
def test_a_sender_whose_range_is_everywhere_is_bound_to_where_it_called_from(engineer: Client, his: Connection) -> None:
    take(his, adt("A01", "M1", at="20260501080500"))
    with acting(system()):
        Message.objects.update(address="10.1.2.3")
        Connection.objects.filter(pk=his.pk).update(addresses=["0.0.0.0/0"])
    assert "只收 10.1.2.3" in engineer.get(reverse("exchange:connections")).content.decode()
    assert engineer.post(reverse("exchange:act", args=[his.key, "bind"]), {"address": "10.1.2.3"}).status_code == 302
    assert _address(his) == ["10.1.2.3/32"]


@pytest.mark.django_db
def test_one_that_called_from_several_places_is_looked_at_first(engineer: Client, his: Connection) -> None:
    take(his, adt("A01", "M1", at="20260501080500"), adt("A03", "M2", at="20260501090500"))
    with acting(system()):
        Message.objects.filter(control_id="M1").update(address="10.1.2.3")
        Message.objects.filter(control_id="M2").update(address="203.0.113.7")
    page = engineer.get(reverse("exchange:connections")).content.decode()
    assert "203.0.113.7" in page
    assert "只收 " not in page
    assert "填写来源地址" in page


@pytest.mark.django_db
def test_the_list_of_loose_senders_asks_once_for_all(
    engineer: Client, world: World, his: Connection, django_assert_max_num_queries: Any
) -> None:
    def statements() -> int:
        with django_assert_max_num_queries(200) as seen:
            assert engineer.get(reverse("exchange:connections")).status_code == 200
        return len(seen)

    statements()
    before = statements()
    for number in range(20):
        make_connection(world.lead, application=f"S{number}")
    assert statements() == before


@pytest.mark.django_db
def test_an_outsider_binds_nobody(client: Client, world: World, his: Connection) -> None:
    bind = reverse("exchange:act", args=[his.key, "bind"])
    client.force_login(make_staff(name="外工", organization_id=world.other_township, role="engineer"))
    assert client.post(bind, {"certificate": "x"}).status_code == 404


@pytest.mark.django_db
def test_two_certificates_under_one_name_are_no_one_press(engineer: Client, his: Connection) -> None:
    """The last one that called may be the impostor's."""
    with acting(system()):
        for name in ("his.example", "lis.example", "his.example"):
            storing.note_alive(connection_ids=[his.pk], address="10.1.2.3", certificate=name)
        assert Connection.objects.get(pk=his.pk).shown_certificates == ["his.example", "lis.example"]
    page = engineer.get(reverse("exchange:connections")).content.decode()
    assert "his.example、lis.example" in page
    assert "只收证书" not in page
    bind = reverse("exchange:act", args=[his.key, "bind"])
    assert engineer.post(bind, {"certificate": "his.example"}).status_code == 422


def test_names_are_the_dns_names_and_without_any_the_common_name() -> None:
    subject = ((("countryName", "CN"),), (("commonName", "HIS"),))
    assert names_in({"subject": subject}) == ("HIS",)
    assert names_in({"subject": subject, "subjectAltName": (("DNS", "a.cn"), ("IP Address", "1.2.3.4"))}) == ("a.cn",)
    assert names_in({}) == ()


class _Authority:
    """An authority that signs the certificates of a hospital's machines."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority")])
        self.file = place / "authority.pem"
        made = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def give(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        signed = self._builder(subject, key).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        files = self._place / f"{name}.pem", self._place / f"{name}.key"
        files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        return files

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@contextmanager
def _calling(authority: _Authority, port: int, name: str) -> Iterator[Sender]:
    tls = ssl.create_default_context(cafile=str(authority.file))
    tls.check_hostname = False
    tls.load_cert_chain(*authority.give(name))
    line = Sender(host="127.0.0.1", port=port, tls=tls)
    try:
        yield line
    finally:
        line.close()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_certificate_of_another_machine_does_not_speak_for_this_one(
    engineer: Client, his: Connection, tmp_path: Path
) -> None:
    """Any certificate of the authority could send results as HIS: the laboratory's machine, or a stolen one."""
    authority = _Authority(tmp_path)
    server, key = authority.give("doorstep.example")
    files = ["--certificate", str(server), "--certificate-key", str(key), "--client-authority", str(authority.file)]
    with ingesting(*files) as ingest:
        with _calling(authority, ingest.port, "his.example") as line:
            assert code_of(line.send(adt("A01", "T1", at="20260501080500"))) == "AA"
        page = engineer.get(reverse("exchange:connections")).content.decode()
        assert "只收证书 his.example" in page
        bind = reverse("exchange:act", args=[his.key, "bind"])
        assert engineer.post(bind, {"certificate": "lis.example"}).status_code == 422
        assert engineer.post(bind, {"certificate": "his.example"}).status_code == 302
        asyncio.run(asyncio.sleep(2.5))
        with _calling(authority, ingest.port, "lis.example") as line:
            assert code_of(line.send(adt("A03", "T2", at="20260501090500"))) == "AR"
        with _calling(authority, ingest.port, "HIS.example") as line:
            assert code_of(line.send(adt("A03", "T3", at="20260501090500"))) == "AA"
    with acting(system()):
        assert set(Message.objects.values_list("control_id", flat=True)) == {"T1", "T3"}
        assert list(Stranger.objects.values_list("application", "reason")) == [("HIS", "certificate")]
    assert "客户端证书不是登记的" in engineer.get(reverse("exchange:connections")).content.decode()


@pytest.mark.django_db
def test_who_shows_no_certificate_is_nobody_who_is_bound_to_one(his: Connection) -> None:
    with acting(system()):
        Connection.objects.filter(pk=his.pk).update(certificates=["his.example"])
        his.refresh_from_db()
    known = senders.Sender.of(his)
    assert known.may_call(Caller("10.1.2.3", ("lis.example", "his.example")))
    assert not known.may_call(Caller("10.1.2.3", ("lis.example",)))
    assert not known.may_call(Caller("10.1.2.3"))
