"""What a receiver says of a message, beside the status of its answer: a response message, or an OperationOutcome. Pure.

hl7.org/fhir/R4/messageheader-definitions.html (response.code) and hl7.org/fhir/R4/valueset-issue-type.html.
"""

from typing import Any

import orjson
from django.utils.translation import gettext as _

# More than any answer to a message says.
MOST_BYTES = 256 * 1024
# Kinds of issue that a later try may not have.
_TRANSIENT = frozenset({"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"})
_GRAVE = frozenset({"fatal", "error"})
# Statuses of the HTTP answer that say the message itself is wrong; others may be the line's, the address's or the key's.
_OF_THE_MESSAGE = frozenset({400, 409, 410, 412, 413, 415, 422})


def said_of(status: int, body: bytes) -> tuple[str, str] | None:
    """What a body says: ("ok", ""), ("transient-error", why) or ("fatal-error", why); None when it says nothing of the message.

    A response message's word counts whatever the status; an OperationOutcome's where it names an error and, with a refusing status,
    where that is about the message.
    """
    resource = _resource(body)
    if resource.get("resourceType") == "Bundle":
        return _of_response(resource)
    if resource.get("resourceType") != "OperationOutcome":
        return None
    grave = [one for one in _issues(resource) if one.get("severity") in _GRAVE]
    if not grave:
        return None
    if any(one.get("code") in _TRANSIENT for one in grave):
        return "transient-error", _why(grave)
    if 200 <= status < 300 or status in _OF_THE_MESSAGE:
        return "fatal-error", _why(grave)
    return "transient-error", _why(grave)


def sentence(code: str, why: str) -> str:
    """What the operator reads of a refused message."""
    said = _("接收方拒绝这份消息（不再重发）") if code == "fatal-error" else _("接收方暂时不能处理这份消息")
    return f"{said}：{why}" if why else f"{said}。"


def _of_response(bundle: dict[str, Any]) -> tuple[str, str] | None:
    resources = [one.get("resource") for one in _dicts(bundle.get("entry"))]
    header = next(
        (one for one in resources if isinstance(one, dict) and one.get("resourceType") == "MessageHeader"), {}
    )
    response = header.get("response")
    code = response.get("code") if isinstance(response, dict) else None
    if code not in ("ok", "transient-error", "fatal-error"):
        return None
    outcomes = [one for one in resources if isinstance(one, dict) and one.get("resourceType") == "OperationOutcome"]
    return str(code), _why([issue for one in outcomes for issue in _issues(one)]) if code != "ok" else ""


def _why(issues: list[dict[str, Any]]) -> str:
    for one in issues:
        details = one.get("details")
        text = details.get("text") if isinstance(details, dict) else None
        if found := str(text or one.get("diagnostics") or "").strip():
            return found[:160]
    return str(issues[0].get("code") or "")[:160] if issues else ""


def _issues(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    return _dicts(outcome.get("issue"))


def _dicts(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _resource(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
