"""One notification over HTTP, or over a line of another kind: no redirect is followed, the whole of it has a deadline."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.kernel.subscriptions import answers
from doorstep.kernel.subscriptions.endpoints import Endpoint, Unreachable, resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent; of the answer to a `message` the body is read, too."""

    endpoint: Endpoint
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    timeout: int
    message: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a letter: heard when `error` is empty.

    `kind` groups the errors; `alive` says that a receiver answered, if only to refuse; `final` that trying again is of no use.
    """

    error: str = ""
    kind: str = ""
    alive: bool = False
    final: bool = False


HEARD = Answer(alive=True)
# Speaks over an open line until the answer is there; raises TimeoutError and OSError.
Carrier = Callable[[socket.socket, bytes], Answer]
_carriers: dict[str, Carrier] = {}


def install(scheme: str, carrier: Carrier) -> None:
    """Wire who carries the letters of a scheme of address that is not HTTP; the last one counts."""
    _carriers[scheme] = carrier


def send(letter: Letter, *, carrier: Carrier | None = None) -> Answer:
    """Send a letter and say what became of it; `carrier` speaks instead of the one of the address."""
    try:
        return _exchanged(letter, resolved(letter.endpoint), carrier)
    except Unreachable as error:
        return Answer(str(error), "address")
    except TimeoutError:
        return Answer(_("接收方在 %(seconds)s 秒内没有应答。") % {"seconds": letter.timeout}, "silent")
    except ssl.SSLError as error:
        return Answer(_("接收方的证书不可信：%(reason)s。") % {"reason": error.reason or "TLS"}, "tls")
    except (OSError, http.client.HTTPException) as error:
        return Answer(_("连不上接收方：%(reason)s。") % {"reason": type(error).__name__}, "unreachable")


def fetch(endpoint: Endpoint, *, timeout: int, most: int) -> tuple[Answer, bytes]:
    """What stands at an address, at most so many bytes and one; nothing when the answer says why not."""
    letter = Letter(
        endpoint=endpoint,
        method="GET",
        path=endpoint.path,
        headers={"Accept": "application/json"},
        body=b"",
        timeout=timeout,
    )
    read: list[bytes] = []

    def ask(line: socket.socket, _body: bytes) -> Answer:
        response = _response(letter, line)
        read.append(response.read(most + 1))
        return _judged(response.status)

    answer = send(letter, carrier=ask)
    return answer, b"" if answer.error else b"".join(read)


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return HEARD
    if 300 <= status < 400:
        return Answer(_("接收方应答 %(status)s（转向），不跟随转向。") % {"status": status}, "refused")
    return Answer(_("接收方应答 %(status)s。") % {"status": status}, "refused")


def _exchanged(letter: Letter, address: str, carrier: Carrier | None) -> Answer:
    """The answer. The connection goes to the address that was checked; TLS is told the name."""
    line = _opened(letter, address)
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        # Already closed: the answer was there just in time.
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    # A time-out of the socket starts anew with every byte; this one does not.
    deadline = threading.Timer(letter.timeout, expire)
    deadline.start()
    try:
        carrier = carrier or _carriers.get(letter.endpoint.scheme)
        answer = carrier(line, letter.body) if carrier else _asked(letter, line)
    except (OSError, http.client.HTTPException):
        if expired.is_set():
            raise TimeoutError from None
        raise
    finally:
        deadline.cancel()
        line.close()
    if expired.is_set():
        # The end of the line reads like the end of the headers.
        raise TimeoutError
    return answer


def _asked(letter: Letter, line: socket.socket) -> Answer:
    """By HTTP; of the answer only the status is read, of that to a message what it says, too."""
    response = _response(letter, line)
    plain = _judged(response.status)
    said = answers.said_of(response.status, response.read(answers.MOST_BYTES)) if letter.message else None
    if said is None:
        return plain
    code, why = said
    if code == "ok":
        return HEARD
    return Answer(answers.sentence(code, why), "refused", alive=True, final=code == "fatal-error")


def _response(letter: Letter, line: socket.socket) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(letter.endpoint.host, letter.endpoint.port, timeout=letter.timeout)
    connection.sock = line
    connection.request(letter.method, letter.path, body=letter.body, headers=dict(letter.headers))
    return connection.getresponse()


def _opened(letter: Letter, address: str) -> socket.socket:
    endpoint = letter.endpoint
    plain = socket.create_connection((address, endpoint.port), timeout=letter.timeout)
    if not endpoint.secure:
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=endpoint.host)
    except OSError:
        plain.close()
        raise
