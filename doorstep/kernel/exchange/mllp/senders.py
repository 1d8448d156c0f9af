"""Which connection a message belongs to: by what it says of its sender, where it calls from, and with whose certificate."""

import asyncio
import ipaddress
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.exchange.models import Connection

FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of a line: the address, and the names in the certificate that was verified."""

    address: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, line: asyncio.StreamWriter) -> "Caller":
        """The caller of an open line."""
        address = str((line.get_extra_info("peername") or ("",))[0])
        # Empty where the port asks for no certificate, or is in the clear.
        return cls(address, names_in(line.get_extra_info("peercert") or {}))


# Wider than any network of a hospital (RFC 1918's largest is a /8; a provider's IPv6 block is a /32).
_WIDEST = {4: 8, 6: 32}


def open_to_all(addresses: Collection[str]) -> bool:
    """Whether a sender with these networks is taken from everywhere, or from so much of it that they bind nobody; raises ValueError."""
    networks = [ipaddress.ip_network(text.strip(), strict=False) for text in addresses]
    return not networks or any(one.prefixlen < _WIDEST[one.version] for one in networks)


def names_in(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a certificate as the ssl module tells it: its DNS names, else the common name of its subject (RFC 6125, 6.4.4)."""
    dns = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    common = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return tuple(dns or common)


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection with its networks read."""

    connection: Connection
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    @classmethod
    def of(cls, connection: Connection) -> "Sender":
        """The sender of a connection."""
        return cls(connection, tuple(ipaddress.ip_network(text, strict=False) for text in connection.addresses))

    def may_call(self, caller: "Caller") -> bool:
        """Whether the connection is taken from this address and, where it is bound to one, with this certificate."""
        return self.may_call_from(caller.address) and self.may_show(caller.names)

    def may_show(self, names: Collection[str]) -> bool:
        """Whether one of these names of a verified certificate is the sender's; a line without one has no names."""
        bound = {name.casefold() for name in self.connection.certificates}
        return not bound or any(name.casefold() in bound for name in names)

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
