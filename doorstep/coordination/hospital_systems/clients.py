"""Systems that call /fhir with keys of their own (SMART Backend Services): registering, other keys and scopes, ending."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from oauth2_provider.models import AccessToken, Application

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.scopes import is_scope, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an engineer sets of a system: its public keys as JWKS, its scopes, how it names itself in CDS Hooks."""

    display: str
    keys: str
    scopes: str
    issuer: str = ""
    jku: str = ""
    follows_jku: bool = False


@transaction.atomic
def register_system(*, name: str, organization_id: int, wanted: Wanted, actor: Actor) -> ApiClient:
    """Register a system of a unit within reach; raises Refused with the field for what cannot be."""
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
    faults = _faults(wanted)
    if (
        name == "new"
        or ApiClient.objects.filter(name=name).exists()
        or Application.objects.filter(client_id=name).exists()
    ):
        # Whose it is is not told.
        faults["name"] = _("这个编号已被使用，请换一个。")
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    return _write(name, organization_id, wanted, actor)


@transaction.atomic
def renew_system(*, client: ApiClient, wanted: Wanted, actor: Actor, keep: bool = False) -> bool:
    """Give a system other keys and scopes; what keys sign that are not among them is believed no more.

    Tokens that were given are void when a key or a scope was taken away, unless they are to be kept for their five minutes. Says whether.
    """
    _check(client, actor)
    faults = _faults(wanted)
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    keys = json.loads(wanted.keys)["keys"]
    lost = any(key not in keys for key in client.jwks.get("keys", []))
    lost = lost or bool(set(client.scopes.split()) - set(wanted.scopes.split()))
    if lost and not keep:
        AccessToken.objects.filter(application__client_id=client.name).delete()
    _write(client.name, client.organization_id, wanted, actor)
    return lost and not keep


@transaction.atomic
def stop_system(*, client: ApiClient, actor: Actor) -> None:
    """End a system's access at once: keys, tokens and subscriptions' door."""
    _check(client, actor)
    AccessToken.objects.filter(application__client_id=client.name).delete()
    access.revoke_client(client=client, actor=actor)
    audit.record(action="client.stop", actor=actor, subject=f"client/{client.name}")


def is_of_connection(client: ApiClient) -> bool:
    """Whether this is the machine account of a connection, which has no keys and ends with the connection."""
    return Connection.objects.filter(client=client).exclude(kind=Connection.Kind.API).exists()


def _check(client: ApiClient, actor: Actor) -> None:
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(client.organization_id) or is_of_connection(client):
        raise NotFound()


def _write(name: str, organization_id: int, wanted: Wanted, actor: Actor) -> ApiClient:
    scopes = " ".join(wanted.scopes.split())
    try:
        client = access.register_keys(
            name=name,
            display=wanted.display,
            organization_id=organization_id,
            jwks=json.loads(wanted.keys),
            scopes=scopes,
            issuer=wanted.issuer,
            jku=wanted.jku,
            follows_jku=wanted.follows_jku,
            actor=actor,
        )
    except Conflict as conflict:
        raise Refused(_("有内容需要更正，没有保存。"), fields={"issuer": str(conflict.message)}) from conflict
    Application.objects.update_or_create(
        client_id=name,
        defaults={
            "name": wanted.display,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
        },
    )
    audit.record(action="client.register", actor=actor, subject=f"client/{name}", details={"scopes": scopes})
    return client


def _faults(wanted: Wanted) -> dict[str, str]:
    found = {"keys": keys_fault(wanted.keys), "scopes": scopes_fault(wanted.scopes)}
    return {name: sentence for name, sentence in found.items() if sentence}


def keys_fault(text: str) -> str:
    """Why a text is no set of public keys that can be registered; empty when it is one."""
    try:
        given: Any = json.loads(text)
        keys = given["keys"]
        JWKSet.from_json(text)
    except (ValueError, TypeError, KeyError, JWException):
        return _('不是 JWKS。应为 {"keys": […]}，请让对方从系统里导出公钥集（JSON）。')
    if not keys:
        return _("公钥集是空的，至少要有一个公钥。")
    if any("d" in key or key.get("kty") == "oct" for key in keys):
        return _("里面有私钥或对称密钥。请只交公钥；这个私钥已经外泄，请让对方作废后重新生成。")
    if not all(_can_sign(key) for key in keys):
        return _("只支持 RSA（RS384，至少 2048 位）和 EC P-384（ES384）的公钥。")
    names = [key.get("kid") for key in keys]
    if len(set(names)) < len(names) or None in names:
        return _("每个公钥都要有各不相同的 kid。")
    return ""


def _can_sign(key: dict[str, Any]) -> bool:
    if key.get("kty") == "EC":
        return key.get("crv") == "P-384"
    # 2048 bits are 342 characters of base64url.
    return key.get("kty") == "RSA" and len(str(key.get("n", ""))) >= 342


def scopes_fault(text: str) -> str:
    """Why a text is no list of scopes of a system; empty when it is one."""
    scopes = text.split()
    if not scopes:
        return _("请至少填写一个范围，例如 system/Observation.rs。")
    for scope in scopes:
        granted = parse(scope).granted
        if not is_scope(scope) or not granted or granted[0][0] != "system":
            return _(
                "“%(scope)s”不是系统的范围。写法：system/类型.cruds，例如 system/Observation.rs（r 读取、s 查询、c 新增、u 修改、d 删除）。"
            ) % {"scope": scope[:80]}
        if granted[0][1] != "*" and granted[0][1] not in resource_types():
            return _("“%(kind)s”不是 FHIR R4 的资源类型，请核对拼写和大小写。") % {"kind": granted[0][1][:60]}
    return ""
