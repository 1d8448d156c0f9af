"""Public keys that a system publishes at an address of its own: read when it is registered, and again when it signs with a new one."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.hospital_systems.clients import keys_fault
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.subscriptions.endpoints import Unreachable, checked
from doorstep.kernel.subscriptions.sending import fetch

log = structlog.get_logger(__name__)
MOST_BYTES = 64 * 1024
TIMEOUT_SECONDS = 5
# Whoever signs with invented keys must not make us ask again and again.
ASKED_AGAIN = timedelta(minutes=1)


class NotRead(Exception):
    """No keys could be read at the address; the sentence says why."""


def read(address: str) -> str:
    """The key set at an address of https; raises NotRead.

    No redirect is followed, 64 KB and five seconds are the bounds. A host of an internal network is asked only when the operator has
    named it (DOORSTEP_KEY_HOSTS): else an engineer of one unit could look with our eyes at what stands in the data centre.
    """
    try:
        parts = urlsplit(address)
        named = f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        inside = {one.lower() for one in settings.KEY_HOSTS}
        listed = named in inside or (parts.hostname or "") in inside
        endpoint = replace(checked(address, [named]), public=not listed)
    except (Unreachable, ValueError) as error:
        raise NotRead(str(error) if isinstance(error, Unreachable) else _("公钥地址不是完整的网址。")) from error
    answer, data = fetch(endpoint, timeout=TIMEOUT_SECONDS, most=MOST_BYTES)
    if answer.error:
        raise NotRead(answer.error)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotRead(_("这个地址上不是公钥集（JWKS）。")) from error
    fault = keys_fault(text) if len(data) <= MOST_BYTES else _("这个地址上的内容太大，不是公钥集。")
    if fault:
        raise NotRead(fault)
    return text


def current(client: ApiClient, header: dict[str, Any]) -> ApiClient:
    """The system with the keys that it has now: read again when it signs with one that is not registered, once a minute at most."""
    known = [key.get("kid") for key in client.jwks.get("keys", [])]
    if not client.follows_jku or not isinstance(header.get("kid"), str) or header["kid"] in known:
        return client
    now = timezone.now()
    rows = ApiClient.objects.filter(pk=client.pk, follows_jku=True)
    if not rows.filter(Q(keys_read_at=None) | Q(keys_read_at__lt=now - ASKED_AGAIN)).update(keys_read_at=now):
        return client
    try:
        rows.update(jwks=json.loads(read(client.jku)))
    except NotRead as error:
        log.warning("keys_not_read", client=client.name, reason=str(error))
        return client
    client.refresh_from_db()
    return client
