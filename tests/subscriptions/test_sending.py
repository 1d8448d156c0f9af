"""The wire: a deadline over the whole call, certificates, and what a receiver cannot do to us."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doorstep.kernel.subscriptions.endpoints import Endpoint
from doorstep.kernel.subscriptions.sending import Letter, send

Talk = Callable[[socket.socket], None]


@contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """A listener that lets `talk` have each connection; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                with contextlib.suppress(OSError), line:
                    talk(line)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _letter(port: int, *, secure: bool = False, timeout: int = 1) -> Letter:
    endpoint = Endpoint(secure, "127.0.0.1", port, "/hook")
    return Letter(endpoint=endpoint, method="POST", path="/hook", headers={}, body=b"{}", timeout=timeout)


def _hear(line: socket.socket) -> None:
    """Take in the whole letter: a line that is closed with something unread is torn down."""
    heard = b""
    while not heard.endswith(b"{}") and (piece := line.recv(1_000)):
        heard += piece


def _drip(line: socket.socket) -> None:
    """A byte now and then keeps every single wait short, and would never end."""
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        line.sendall(b"X-Y: z\r\n")
        time.sleep(0.1)


def test_send_gives_up_on_a_receiver_that_drips() -> None:
    with talking(_drip) as port:
        began = time.monotonic()
        said = send(_letter(port)).error
        assert "1 秒内没有应答" in said
        assert time.monotonic() - began < 4


def test_send_gives_up_on_silence_and_on_nobody() -> None:
    with talking(lambda line: time.sleep(2)) as port:
        assert "没有应答" in send(_letter(port)).error
    assert "连不上接收方" in send(_letter(port)).error


def test_send_reads_no_body_however_long() -> None:
    def endless(line: socket.socket) -> None:
        _hear(line)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 10_000)

    with talking(endless) as port:
        assert send(_letter(port)).error == ""


def test_send_says_what_is_no_answer() -> None:
    with talking(lambda line: line.sendall(b"SSH-2.0-x\r\n\r\n")) as port:
        assert "连不上接收方" in send(_letter(port)).error


def test_send_trusts_only_a_certificate_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)

    def secure(line: socket.socket) -> None:
        with context.wrap_socket(line, server_side=True) as wrapped:
            _hear(wrapped)
            wrapped.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with talking(secure) as port:
        assert "证书不可信" in send(_letter(port, secure=True, timeout=5)).error
        monkeypatch.setenv("SSL_CERT_FILE", str(pair))
        assert send(_letter(port, secure=True, timeout=5)).error == ""


def _certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody else vouches for, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.datetime.now(tz=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
