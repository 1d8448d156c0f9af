"""What a request of a machine asks of the answer's form: format, Prefer, compression (hl7.org/fhir/R4/http.html)."""

import gzip
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date

from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.definitions import types
from doorstep.kernel.fhir.outcome import FhirRefused, outcome

_JSON = {
    "application/fhir+ndjson",
    "application/fhir+json",
    "application/json",
    "json",
    "text/json",
    "application/*",
    "*/*",
    "text/*",
}
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_BODIES = {"application/fhir+json", "application/json", "text/json"}
_ETAG = re.compile(r'^(?:W/)?"([^"]*)"$')
LARGEST_BODY = 20 * 1024 * 1024
_FILES = "/fhir/Binary"
_DOCUMENTS = "/$cda"
# Below this a compressed answer is not shorter.
_WORTH = 1_000
# A weight of 0: what is not acceptable.
_NOTHING = re.compile(r"0(\.0*)?")
_SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


@dataclass(frozen=True, slots=True)
class Preference:
    """What the Prefer header says; what it does not say is the server's custom."""

    returned: str = "representation"
    strict: bool = False
    later: bool = False


def check_accepted(request: HttpRequest, form: str = "") -> None:
    """Raise FhirRefused (406) when the caller wants anything but JSON; `_format`, of a form or the address, goes before Accept.

    A Binary goes out as what it is (hl7.org/fhir/R4/binary.html), a shared document as XML.
    """
    if request.path_info.startswith(_FILES) or request.path_info.endswith(_DOCUMENTS):
        return
    wanted = form or request.GET.get("_format") or request.META.get("HTTP_ACCEPT") or "*/*"
    if not takes_json(wanted):
        raise FhirRefused(406, "not-supported", f"只提供 JSON，不提供 {wanted} / only JSON is offered, not {wanted}")


def asks_resource(request: HttpRequest) -> bool:
    """Whether a Binary is asked for as a resource: by the name of the kind, not by one that covers everything."""
    wanted = request.GET.get("_format") or request.META.get("HTTP_ACCEPT") or ""
    return any(_is_offered(part) for part in wanted.split(",") if "*" not in part)


def is_resource(request: HttpRequest) -> bool:
    """Whether the body is a resource by its kind; without a kind it is one."""
    kind = (request.content_type or "").lower()
    return not kind or kind in _BODIES


@lru_cache(maxsize=256)
def takes_json(wanted: str) -> bool:
    """Whether JSON of R4 is among the kinds of an Accept header."""
    return any(_is_offered(part) for part in wanted.split(","))


def _is_offered(part: str) -> bool:
    """Whether one kind of answer that is accepted is JSON of R4: by its name, `fhirVersion` and a weight that is not 0."""
    kind, *parameters = (one.strip() for one in part.lower().split(";"))
    facts = dict(_fact(one) for one in parameters)
    # A plus sign in an address that was not escaped arrives as a blank.
    return kind.replace(" ", "+") in _JSON and _is_r4(facts) and not _NOTHING.fullmatch(facts.get("q", "1"))


def _is_r4(facts: dict[str, str]) -> bool:
    return facts.get("fhirversion", "4.0") in ("4.0", "4.0.1")


def _fact(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip().strip('"')


def body_of(request: HttpRequest, *, also: tuple[str, ...] = ()) -> Any:
    """The JSON that was sent; raises FhirRefused 415 for another type, 413 for too much, 400 for what is not JSON."""
    kind = (request.content_type or "").lower()
    if kind and kind not in _BODIES and kind not in also:
        raise FhirRefused(
            415,
            "not-supported",
            f"请以 application/fhir+json 发送，不接收 {kind} / send application/fhir+json",
        )
    facts = {name.lower(): value.lower() for name, value in (request.content_params or {}).items()}
    if facts.get("charset", "utf-8") not in ("utf-8", "utf8") or not _is_r4(facts):
        raise FhirRefused(
            415,
            "not-supported",
            "只接收 UTF-8 的 FHIR 4.0 / send FHIR 4.0 in UTF-8",
        )
    return exact.loads(unpacked(request))


def unpacked(request: HttpRequest) -> bytes:
    """The body as it was before it was compressed; raises FhirRefused (413) for too much."""
    body = request.body
    packed = request.headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip"):
        raise FhirRefused(
            415,
            "not-supported",
            f"Content-Encoding 只支持 gzip，不支持 {packed[:20]} / gzip only",
            headers={"Accept-Encoding": "gzip"},
        )
    if packed == "gzip":
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            body = reader.decompress(body, LARGEST_BODY + 1)
        except zlib.error as error:
            raise FhirRefused(400, "structure", "gzip 内容不完整 / the gzip body is broken") from error
    if len(body) > LARGEST_BODY:
        raise FhirRefused(413, "too-long", "内容超过 20 MB，请分批发送 / over 20 MB: send it in parts")
    return body


def preference(request: HttpRequest) -> Preference:
    """Read the Prefer header; unknown wishes are passed over, as RFC 7240 says."""
    wishes = {}
    for part in request.headers.get("Prefer", "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        wishes[name.lower()] = value.strip().strip('"')
    returned = wishes.get("return", "representation")
    if returned not in ("minimal", "representation", "OperationOutcome"):
        returned = "representation"
    return Preference(returned=returned, strict=wishes.get("handling") == "strict", later="respond-async" in wishes)


def version_of(etag: str | None, header: str) -> int | None:
    """The version that an ETag names, None without one; raises FhirRefused (400) for what is not an ETag of ours."""
    if etag is None:
        return None
    found = _ETAG.match(etag.strip())
    if found is None or not found.group(1).isdecimal() or len(found.group(1)) > 9:
        raise FhirRefused(400, "value", f'{header} 应为 W/"版本号" / {header} must be W/"<version>": {etag[:40]}')
    return int(found.group(1))


def unchanged(request: HttpRequest, *, version: int, updated_at: datetime) -> bool:
    """Whether the caller has this version already, by If-None-Match or else by If-Modified-Since."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known is not None:
        tags = [part.strip() for part in known.split(",")]
        return "*" in tags or any(_ETAG.match(tag) and _ETAG.sub(r"\1", tag) == str(version) for tag in tags)
    since = request.META.get("HTTP_IF_MODIFIED_SINCE")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return moment.tzinfo is not None and updated_at.replace(microsecond=0) <= moment


def version_headers(*, version: int, updated_at: datetime) -> dict[str, str]:
    """The headers by which a caller may ask again."""
    return {"ETag": f'W/"{version}"', "Last-Modified": http_date(updated_at.timestamp())}


def shortened(request: HttpRequest, text: str) -> str | dict[str, Any]:
    """The resource with only what `_summary` or `_elements` asks for, marked as a part of itself."""
    wanted, summary = parts_wanted(request.GET.getlist("_elements"), request.GET.get("_summary", "false"))
    return text if not wanted and summary in ("false", "count") else shown(exact.loads(text), wanted, summary)


def parts_wanted(elements: Iterable[str], summary: str) -> tuple[list[str], str]:
    """The elements that are named and the kind of summary; raises FhirRefused (400) for no kind."""
    if summary not in ("true", "false", "text", "data", "count"):
        raise FhirRefused(400, "value", "_summary 应为 true、text、data、count 或 false / is not a kind of summary")
    return [name for value in elements for name in value.split(",") if name], summary


def shown(resource: dict[str, Any], wanted: Sequence[str], summary: str) -> dict[str, Any]:
    """The resource with the elements that are named or belong to the summary, marked as a part of itself."""
    if not wanted and summary in ("false", "count"):
        return resource
    elements = types()[resource["resourceType"]].elements
    needed = {name for name, element in elements.items() if element.least}
    if wanted:
        kept = needed | {element.name for element in elements.values() if element.path_name in wanted}
    elif summary == "true":
        kept = needed | {name for name, element in elements.items() if element.is_summary}
    else:
        kept = needed | {"text"} if summary == "text" else set(elements) - {"text"}
    kept |= {"resourceType", "id", "meta"}
    short = {name: value for name, value in resource.items() if name.removeprefix("_") in kept}
    if summary != "data":
        meta = short.setdefault("meta", {})
        meta["tag"] = [*meta.get("tag", []), {"system": _SUBSETTED, "code": "SUBSETTED"}]
    return short


def note(sentence: str) -> dict[str, Any]:
    """An OperationOutcome that says that all went well."""
    return outcome("informational", sentence, severity="information")


def compressed(accepted: str, content: bytes) -> bytes | None:
    """The content for a caller of this Accept-Encoding, None when it goes out as it is."""
    if len(content) <= _WORTH or not _takes_gzip(accepted):
        return None
    return gzip.compress(content, compresslevel=4, mtime=0)


def finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer as it goes out: compressed when the caller can read that, without a body for HEAD."""
    if response.streaming:
        return response
    packed = compressed(request.META.get("HTTP_ACCEPT_ENCODING", ""), response.content)
    if packed is not None:
        response.content = packed
        response.headers["Content-Encoding"] = "gzip"
    if not response.content and request.method != "HEAD":
        # What has no content is of no kind.
        response.headers.pop("Content-Type", None)
    response.headers["Vary"] = "Accept, Accept-Encoding, Authorization, Prefer"
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Length"] = str(len(response.content))
    if request.method == "HEAD":
        length = response.headers["Content-Length"]
        response.content = b""
        response.headers["Content-Length"] = length
    return response


@lru_cache(maxsize=256)
def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        kind, _, weight = part.partition(";")
        if kind.strip() in ("gzip", "x-gzip"):
            return not _NOTHING.fullmatch(_fact(weight)[1])
    return False
