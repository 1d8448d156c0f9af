"""Which ECG recording draws an entry of the record: the recording itself, or the report that was written about it."""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from doorstep.care.diagnosis import queries
from doorstep.people.residents.chart.previews import Preview

# The addresses that fhir.py writes, and those that it wrote once: hospitals' own reports carry others and are not drawn.
_RECORDING = re.compile(r"^(?:Binary/(?P<file>[0-9a-f-]{36})|/ecg/recordings/(?P<key>[0-9a-f-]{36})/file/)$")
_REPORT = re.compile(r"^(?:Binary/(?P<file>[0-9a-f-]{36})|/ecg/orders/(?P<key>[0-9a-f-]{36})/report\.pdf)$")


def ecg_preview(content: Mapping[str, Any]) -> Preview | None:
    """The viewer of the entry's recording, None for an entry that has none or whose recording the actor may not read."""
    key = None
    if content["resourceType"] == "DocumentReference":
        attachments = (one.get("attachment") or {} for one in content.get("content", []))
        key = _key(_RECORDING, content, attachments)
    elif content["resourceType"] == "DiagnosticReport":
        order_key = _key(_REPORT, content, content.get("presentedForm", []))
        key = queries.recording_of(order_key=order_key) if order_key else None
    return None if key is None else Preview("ecg-viewer", "ecg", reverse("diagnosis:wave", args=[key]))


def _key(pattern: re.Pattern[str], content: Mapping[str, Any], attachments: Any) -> str | None:
    found = (pattern.match(str(one.get("url", ""))) for one in attachments)
    # A hospital's own file may have an address of the same form: ours bear the id of the entry.
    return next((one["file"] or one["key"] for one in found if one and one["file"] in (None, content.get("id"))), None)
