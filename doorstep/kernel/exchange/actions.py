"""What engineers do: connections, replay, and deciding what a code means."""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange import folders, queries
from doorstep.kernel.exchange.folders import Taken
from doorstep.kernel.exchange.mllp.senders import open_to_all
from doorstep.kernel.exchange.models import CodeMapping, Connection, Message
from doorstep.kernel.exchange.permissions import Permission
from doorstep.kernel.exchange.states import REPLAYABLE, MessageState
from doorstep.kernel.exchange.storing import call_for_work, forget_stranger

# One press of a button; more is a matter of pressing again, so that one transaction stays short.
REPLAY_AT_ONCE = 2000
_LONGEST_NAME = 255
FORGOTTEN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an engineer sets of a connection; `application` and `facility` are what an MLLP sender calls itself."""

    name: str
    application: str = ""
    facility: str = ""
    addresses: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    encoding: Connection.Encoding = Connection.Encoding.AUTO
    accepts_training: bool = False


@transaction.atomic
def connect(
    *, kind: Connection.Kind, organization_id: int, consortium_id: int | None, settings: Settings, actor: Actor
) -> Connection:
    """Make a connection for a system of an organisation; it gets a machine account of its own.

    Raises Refused with the field when the sender is taken or an address is none.
    """
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
    if kind == Connection.Kind.MLLP and not settings.application:
        raise Refused(
            _("有内容需要更正，没有保存。"), fields={"application": _("请填写发送方系统名，与消息 MSH-3 一致。")}
        )
    code = f"{Connection.Kind(kind).value}-{secrets.token_hex(4)}"
    made = Connection(
        code=code,
        name=settings.name,
        kind=kind,
        organization_id=organization_id,
        consortium_id=consortium_id,
        application=settings.application if kind == Connection.Kind.MLLP else code,
        facility=settings.facility,
        addresses=check_addresses(settings.addresses),
        certificates=_check_names(settings.certificates),
        encoding=settings.encoding,
        accepts_training=settings.accepts_training,
    )
    # The token is thrown away: over MLLP and folders the account is known by the connection itself.
    access.issue_token(name=code, display=settings.name, organization_id=organization_id, actor=actor)
    made.client = ApiClient.objects.get(name=code)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(
            _("这个发送方已经登记过。"),
            fields={"application": _("已有接入使用同样的 MSH-3 和 MSH-4，请在接入列表中查找。")},
        ) from error
    forget_stranger(application=settings.application, facility=settings.facility)
    _audit("exchange.connect", made, actor)
    return made


@transaction.atomic
def change(*, connection: Connection, settings: Settings, actor: Actor) -> Connection:
    """Change what is set of a connection; who it is does not change."""
    _check(connection, actor)
    connection.name, connection.addresses = settings.name, check_addresses(settings.addresses)
    connection.certificates = _check_names(settings.certificates)
    connection.encoding, connection.accepts_training = settings.encoding, settings.accepts_training
    connection.save(update_fields=["name", "addresses", "certificates", "encoding", "accepts_training"])
    _audit("exchange.change", connection, actor)
    return connection


@transaction.atomic
def bind(*, connection: Connection, address: str = "", certificate: str = "", actor: Actor) -> None:
    """Take a sender from now on only from the address, or only with the certificate, with which it called.

    Raises Refused for one with which it did not, and for what is bound already: a page may have stood open for a day.
    """
    _check(connection, actor)
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    if address:
        if not open_to_all(connection.addresses) or address not in queries.calls_from([connection]).get(
            connection.pk, {}
        ):
            raise Refused(_("来源已经变化，请刷新后再核对。"))
        connection.addresses = check_addresses([address])
    if certificate:
        if connection.certificates or connection.shown_certificates != [certificate]:
            raise Refused(_("来源已经变化，请刷新后再核对。"))
        connection.certificates = [certificate]
    connection.save(update_fields=["addresses", "certificates"])
    audit.record(
        action="exchange.bind",
        actor=actor,
        subject=f"connection/{connection.key}",
        details={"address": address, "certificate": certificate},
    )


@transaction.atomic
def speak(
    *, connection: Connection, version: Connection.Version, encoding: Connection.Encoding, actor: Actor
) -> Connection:
    """Set in which version of HL7 v2 and in which characters the system is written to."""
    _check(connection, actor)
    connection.sends_version, connection.sends_encoding = version, encoding
    connection.save(update_fields=["sends_version", "sends_encoding"])
    _audit("exchange.speak", connection, actor)
    return connection


def take_file(*, connection: Connection, name: str, data: bytes, actor: Actor) -> Taken:
    """Take a file that somebody hands in as the watched folder takes it; what cannot be opened is a message that says so."""
    _check(connection, actor)
    _audit("exchange.upload", connection, actor)
    return folders.take(connection, name=name, data=data)


@transaction.atomic
def pause(*, connection: Connection, actor: Actor) -> None:
    """Let messages come in and wait: nothing of this connection is worked until it goes on."""
    _check(connection, actor)
    Connection.objects.filter(pk=connection.pk).update(paused=True)
    _audit("exchange.pause", connection, actor)


@transaction.atomic
def resume(*, connection: Connection, actor: Actor) -> None:
    """Work what waits, and what comes."""
    _check(connection, actor)
    Connection.objects.filter(pk=connection.pk).update(paused=False)
    for lane in queries.lanes_with_work(connection_id=connection.pk):
        call_for_work(connection_id=connection.pk, lane=lane)
    _audit("exchange.resume", connection, actor)


@transaction.atomic
def replay(*, message: Message, actor: Actor) -> None:
    """Send one message through again; what it wrote before is written again only where it differs."""
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(message.organization_id):
        raise NotFound()
    if not _requeue([message.pk]):
        raise Refused(_("这条消息正在处理，请稍后刷新。"))
    audit.record(action="exchange.replay", actor=actor, subject=f"message/{message.key}")


@transaction.atomic
def replay_all(*, connection: Connection, error_kind: str, actor: Actor) -> int:
    """Send every message of one kind of error through again, oldest first; returns how many."""
    _check(connection, actor)
    ids = queries.put_aside_ids(connection_id=connection.pk, error_kind=error_kind, limit=REPLAY_AT_ONCE)
    count = _requeue(ids)
    audit.record(
        action="exchange.replay-all",
        actor=actor,
        subject=f"connection/{connection.key}",
        details={"kind": error_kind, "count": count},
    )
    return count


@transaction.atomic
def replay_range(*, connection: Connection, since: datetime, until: datetime, actor: Actor) -> int:
    """Send every message that came in a span of time through again, oldest first; returns how many."""
    _check(connection, actor)
    ids = queries.ids_between(connection_id=connection.pk, since=since, until=until, limit=REPLAY_AT_ONCE)
    count = _requeue(ids)
    audit.record(
        action="exchange.replay-range",
        actor=actor,
        subject=f"connection/{connection.key}",
        details={"since": since.isoformat(), "until": until.isoformat(), "count": count},
    )
    return count


def release(*, message_ids: Iterable[int]) -> int:
    """Let waiting messages go on: their residents can be seen now. The system calls this."""
    return _requeue(list(message_ids))


def call_forgotten() -> int:
    """Call for work on lanes whose messages have waited longer than any queue should: a safety net. The system calls this."""
    lanes = queries.stale_lanes(older_than=FORGOTTEN)
    for connection_id, lane in lanes:
        call_for_work(connection_id=connection_id, lane=lane)
    return len(lanes)


@transaction.atomic
def decide_code(*, key: UUID, system: str, code: str, display: str, actor: Actor) -> CodeMapping:
    """Say what a sender's code means; an empty code takes the decision back."""
    actor.check(Permission.EXCHANGE_MANAGE)
    mapping = queries.get_mapping(key=key, actor=actor)
    if code and not system:
        raise Refused(_("有内容需要更正，没有保存。"), fields={"target_system": _("请选择目标编码体系。")})
    mapping.target_system, mapping.target_code, mapping.target_display = (
        (system, code, display) if code else ("", "", "")
    )
    mapping.decided_at = timezone.now() if code else None
    mapping.decided_by_id = actor.user_id if code else None
    mapping.save()
    audit.record(
        action="exchange.map",
        actor=actor,
        subject=f"connection/{mapping.connection.key}",
        details={"table": mapping.table, "local": mapping.local_code, "target": f"{system}|{code}"},
    )
    return mapping


def check_addresses(addresses: Iterable[str]) -> list[str]:
    """Addresses and networks as they are kept; raises Refused at the first that is none."""
    found = []
    for text in addresses:
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError as error:
            sentence = _("“%(text)s”不是 IP 地址或网段，写法如 10.1.2.3 或 10.1.2.0/24。") % {"text": text}
            raise Refused(_("有内容需要更正，没有保存。"), fields={"addresses": sentence}) from error
    return found


def _check_names(names: Iterable[str]) -> list[str]:
    """Names in certificates as they are kept; raises Refused at the first that is none."""
    found = [name.strip() for name in names]
    for name in found:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            sentence = _("“%(text)s”不是证书名称，写法如 his.example.cn。") % {"text": name[:40]}
            raise Refused(_("有内容需要更正，没有保存。"), fields={"certificates": sentence})
    return found


def _requeue(ids: list[int]) -> int:
    rows = Message.objects.filter(pk__in=ids, state__in=REPLAYABLE)
    lanes = set(rows.values_list("connection_id", "lane"))
    count = rows.update(
        state=MessageState.RECEIVED, state_at=timezone.now(), attempts=0, replays=queries.one_more_replay()
    )
    for connection_id, lane in sorted(lanes):
        call_for_work(connection_id=connection_id, lane=lane)
    return count


def _check(connection: Connection, actor: Actor) -> None:
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(connection.organization_id):
        raise NotFound()


def _audit(action: str, connection: Connection, actor: Actor) -> None:
    audit.record(action=action, actor=actor, subject=f"connection/{connection.key}", details={"code": connection.code})
