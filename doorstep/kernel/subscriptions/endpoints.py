"""Where notifications may go: hosts that the engineer allowed, over https, never back into this machine."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

_LOCAL = "127.0.0.1"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::\d{1,5})?")
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}):[ \t]*([\x20-\x7e]{1,2000})")
_MOST_HEADERS = 10
# HL7 v2 over MLLP, in the clear within a hospital's own network, or over TLS.
LINE, SECURE_LINE = "mllp", "mllps"
# What the message itself decides, or a connection on the way.
_OURS = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "upgrade", "te"}
    | {"trailer", "expect", "proxy-authorization", "proxy-connection", "keep-alive", "event-number"}
)


# Where clouds answer their machines, beside the link-local 169.254.0.0/16: Alibaba Cloud, Amazon (IPv6).
_METADATA = frozenset({ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("fd00:ec2::254")})


class Unreachable(Exception):
    """An endpoint that must not or cannot be called; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that was checked."""

    secure: bool
    host: str
    port: int
    path: str
    scheme: str = "https"
    # Nothing within a hospital's own network: for an address that one unit's engineer gives and nobody of the house has looked at.
    public: bool = False


def is_host(text: str) -> bool:
    """Whether a line of the list of hosts is a host, with or without a port."""
    return bool(_HOST.fullmatch(text)) and int(text.partition(":")[2] or 443) < 65_536


def line_at(host: str, port: int, *, secure: bool) -> str:
    """The address of a system that takes HL7 v2 messages over MLLP."""
    return f"{SECURE_LINE if secure else LINE}://{host}:{port}"


def checked(url: str, hosts: Iterable[str]) -> Endpoint:
    """The parts of an address that may be called; raises Unreachable with the sentence for the engineer."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Unreachable(_("接收地址不是完整的网址。")) from error
    host = (parts.hostname or "").lower()
    local = settings.DEMO and host == _LOCAL
    line = parts.scheme in (LINE, SECURE_LINE) and port is not None and not parts.path and not parts.query
    if not line and parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise Unreachable(_("接收地址必须以 https:// 开头。"))
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise Unreachable(_("接收地址应只有主机、端口和路径，不能带用户名、密码或 #。"))
    if any(ord(character) <= 32 or ord(character) > 126 for character in url):
        raise Unreachable(_("接收地址中有空格或非 ASCII 字符。"))
    usual = 443 if parts.scheme == "https" else 80
    named = f"{host}:{port or usual}"
    allowed = {one.lower() for one in hosts}
    if named not in allowed and not (host in allowed and (local or (port or usual) == 443)):
        raise Unreachable(_("主机 %(host)s 不在允许名单中，请由信息工程师添加。") % {"host": named})
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme in ("https", SECURE_LINE), host, port or usual, path, parts.scheme)


def resolved(endpoint: Endpoint) -> str:
    """The one address that is called, asked once: a name that turns elsewhere afterwards changes nothing.

    Addresses of this machine, of the link and of groups are refused, and those at which a cloud tells its machines their secrets; a
    hospital's own network is not, unless only public addresses may be called.
    """
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(_("找不到主机 %(host)s。") % {"host": endpoint.host}) from error
    addresses = [str(one[4][0]) for one in found]
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        demo = settings.DEMO and str(mapped) == _LOCAL
        if not demo and (
            mapped.is_loopback
            or mapped.is_link_local
            or mapped.is_multicast
            or mapped.is_unspecified
            or mapped.is_reserved
            or mapped in _METADATA
        ):
            raise Unreachable(_("主机 %(host)s 指向不允许的地址。") % {"host": endpoint.host})
        if not demo and endpoint.public and not mapped.is_global:
            raise Unreachable(_("主机 %(host)s 在内部网络，请运维人员先把它加入允许名单。") % {"host": endpoint.host})
    if not addresses:
        raise Unreachable(_("找不到主机 %(host)s。") % {"host": endpoint.host})
    return addresses[0]


def header(line: str) -> tuple[str, str] | None:
    """Name and value of a header line; None for what may not be sent."""
    match = _HEADER.fullmatch(line)
    if match is None or match[1].lower() in _OURS:
        return None
    return match[1], match[2].strip()


def too_many(lines: list[str]) -> bool:
    """Whether a channel names more headers than are sent."""
    return len(lines) > _MOST_HEADERS
