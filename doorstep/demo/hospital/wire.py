"""The sending end of MLLP: one line to a receiver, messages in frames, answers in order."""

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator

START, END = b"\x0b", b"\x1c\r"


class Sender:
    """One open line. Sends a message and waits for its answer, or several at once with as many answers outstanding."""

    def __init__(
        self, *, host: str, port: int, charset: str = "utf-8", seconds: float = 30.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._socket: socket.socket = socket.create_connection((host, port), timeout=seconds)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._charset = charset
        self._kept = b""

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def send(self, text: str) -> str:
        """Send one message and return its answer."""
        self.put(text)
        return self.answer()

    def send_all(self, texts: Iterable[str], *, window: int = 32) -> Iterator[str]:
        """Send many with at most `window` answers outstanding; yields the answers in order."""
        outstanding = 0
        for text in texts:
            if outstanding == window:
                yield self.answer()
                outstanding -= 1
            self.put(text)
            outstanding += 1
        for _ in range(outstanding):
            yield self.answer()

    def put(self, text: str) -> None:
        """Send one message without waiting."""
        self._socket.sendall(START + text.encode(self._charset) + END)

    def put_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def answer(self) -> str:
        """The next answer; ConnectionError when the other end has hung up."""
        while END not in self._kept:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the receiver has hung up")
            self._kept += data
        frame, _, self._kept = self._kept.partition(END)
        return frame.lstrip(START).decode(self._charset)


def code_of(answer: str) -> str:
    """AA, AE, AR, CA, CE or CR."""
    return next(line.split("|")[1] for line in answer.split("\r") if line.startswith("MSA"))
