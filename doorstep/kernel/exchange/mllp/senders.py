"""Which connection a message belongs to: by what it says of its sender, and by where it calls from."""

import ipaddress
import time
from dataclasses import dataclass

from doorstep.kernel.exchange.models import Connection

FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection with its networks read."""

    connection: Connection
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    @classmethod
    def of(cls, connection: Connection) -> "Sender":
        """The sender of a connection."""
        return cls(connection, tuple(ipaddress.ip_network(text, strict=False) for text in connection.addresses))

    def may_call_from(self, address: str) -> bool:
        """Whether the connection is taken from this address."""
        if not self.networks:
            return True
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(host, "ipv4_mapped", None)
        return any((mapped or host) in network for network in self.networks)


class Directory:
    """The registered senders, read again every two seconds; asked by the server, refreshed in the storing thread."""

    def __init__(self) -> None:
        self._senders: dict[tuple[str, str], Sender] = {}
        self._read_at = float("-inf")

    @property
    def stale(self) -> bool:
        """Whether it is time to read again."""
        return time.monotonic() - self._read_at > FRESH_SECONDS

    def refresh(self) -> None:
        """Read the registered senders, in a transaction of the system."""
        self._senders = {
            (one.application, one.facility): Sender.of(one)
            for one in Connection.objects.filter(kind=Connection.Kind.MLLP)
        }
        self._read_at = time.monotonic()

    def find(self, application: str, facility: str) -> Sender | None:
        """The sender that calls itself so; one registered without facility stands for all of its application."""
        return self._senders.get((application, facility)) or self._senders.get((application, ""))

    def encoding_of(self, application: str, facility: str) -> str:
        """The codec set for a sender; "" for what its messages declare."""
        found = self.find(application, facility)
        if found is None or found.connection.encoding == Connection.Encoding.AUTO:
            return ""
        return found.connection.encoding
