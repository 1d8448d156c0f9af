"""One notification over HTTP: no redirect is followed, the whole of it has a deadline, the answer's body is not read."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.kernel.subscriptions.endpoints import Endpoint, Unreachable, resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent."""

    endpoint: Endpoint
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    timeout: int


def send(letter: Letter) -> str:
    """Send a letter; returns "" when it was heard (2xx), else why it was not."""
    try:
        status = _exchanged(letter, resolved(letter.endpoint))
    except Unreachable as error:
        said = str(error)
    except TimeoutError:
        said = _("接收方在 %(seconds)s 秒内没有应答。") % {"seconds": letter.timeout}
    except ssl.SSLError as error:
        said = _("接收方的证书不可信：%(reason)s。") % {"reason": error.reason or "TLS"}
    except (OSError, http.client.HTTPException) as error:
        said = _("连不上接收方：%(reason)s。") % {"reason": type(error).__name__}
    else:
        said = _judged(status)
    return said


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return _("接收方应答 %(status)s（转向），不跟随转向。") % {"status": status}
    return _("接收方应答 %(status)s。") % {"status": status}


def _exchanged(letter: Letter, address: str) -> int:
    """The status of the answer. The connection goes to the address that was checked; TLS is told the name."""
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
        connection = http.client.HTTPConnection(letter.endpoint.host, letter.endpoint.port, timeout=letter.timeout)
        connection.sock = line
        connection.request(letter.method, letter.path, body=letter.body, headers=dict(letter.headers))
        status = connection.getresponse().status
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
    return status


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
