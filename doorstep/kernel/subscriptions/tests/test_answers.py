"""A receiver's answer to a message, as its body says it."""

from typing import Any

import orjson
import pytest

from doorstep.kernel.subscriptions.answers import said_of


def outcome(severity: str, code: str, text: str = "") -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, **({"diagnostics": text} if text else {})}],
    }


def response(code: str, *more: dict[str, Any]) -> dict[str, Any]:
    header = {"resourceType": "MessageHeader", "response": {"identifier": "1", "code": code}}
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": one} for one in (header, *more)]}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, response("ok"), ("ok", "")),
        (500, response("ok", outcome("error", "invalid")), ("ok", "")),
        (200, response("transient-error"), ("transient-error", "")),
        (200, response("fatal-error", outcome("error", "invalid", "科室不存在")), ("fatal-error", "科室不存在")),
        (200, outcome("information", "informational", "已收到"), None),
        (200, outcome("error", "business-rule", "无此患者"), ("fatal-error", "无此患者")),
        (200, outcome("error", "throttled"), ("transient-error", "throttled")),
        (422, outcome("fatal", "invalid", "缺少身份证号"), ("fatal-error", "缺少身份证号")),
        (422, outcome("warning", "invalid"), None),
        (401, outcome("error", "login", "密钥过期"), ("transient-error", "密钥过期")),
        (503, outcome("error", "exception", "维护中"), ("transient-error", "维护中")),
        (200, {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MessageHeader"}}]}, None),
        (200, {"resourceType": "Bundle", "entry": "x"}, None),
        (200, {"resourceType": "OperationOutcome", "issue": [1, None]}, None),
        (200, [1], None),
    ],
)
def test_said_of_reads_the_body(status: int, body: Any, said: tuple[str, str] | None) -> None:
    assert said_of(status, orjson.dumps(body)) == said


@pytest.mark.parametrize("body", [b"", b"<html>OK</html>", b"{", b"\xff"])
def test_said_of_knows_nothing_of_other_bodies(body: bytes) -> None:
    assert said_of(200, body) is None
