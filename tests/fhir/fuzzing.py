"""Requests that no client should send, drawn by chance from a seed: every route, every method, bodies and headers out of joint."""

import copy
import json
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver

from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.parameters import parameters
from doorstep.site.fhir.message_kinds import FOCUS
from tests.fhir.house import House, bundle, entry

Json = dict[str, Any]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
TYPES = (
    "Observation", "Patient", "Encounter", "ServiceRequest", "Task", "Appointment", "Slot", "Schedule", "Subscription", "CarePlan",
    "Communication", "Composition", "Bundle", "Group", "ValueSet", "CodeSystem", "ConceptMap", "Practitioner", "AuditEvent",
    "Parameters", "Binary", "DocumentReference", "MedicationRequest", "CareTeam", "Coverage", "Nothing", "observation", "$x",
)  # fmt: skip
OPERATIONS = (
    "validate", "everything", "document", "export", "lookup", "validate-code", "subsumes", "lastn", "expand", "translate", "match", "book", "cancel",
    "status", "events", "nothing", "",
)  # fmt: skip
TEXTS = (
    "", " ", "x", "-1", "0", "1e400", "9" * 400, "1.5", "中文", "\u202e", "𝌆", "\ud800", "\x00", "%00", "'--", "\\", "$", ",", "|", "a|b|c", "true",
    "0000", "9999-12-31", "2026-02-30", "2026-11-22T24:00:00Z", "ge2026", "ap9999-12-31T23:59:60Z", "Patient/x", "urn:uuid:1", "a" * 5_000,
    "{{x}}", "%s", "../..", "http://[", "https://x/" + "y" * 3_000, "5.4||mg", "lt-1e-400|x|y", "_id:exact:missing",
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, True, False, -1, 2**70, 1.5, [], [[]], {}, [None], {"coding": [7]}, {"coding": "x"}, {"reference": 5}, {"reference": "Patient/x"},
    {"": ""}, {"start": "2026", "end": 3}, {"value": "x", "code": []}, {"contentType": []}, [{"url": 5}], {"resourceType": 7}, {"id": []},
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {}, {"if_match": "x"}, {"if_match": 'W/"1"'}, {"if_match": 'W/"' + "9" * 30 + '"'}, {"if_none_match": "*"}, {"if_none_match": 'W/"1'},
    {"if_modified_since": "yesterday"}, {"if_modified_since": "Sun, 99 Nov 99999 10:00:00 GMT"}, {"if_none_exist": "identifier"},
    {"if_none_exist": "_id=%00"}, {"if_none_exist": "?????"}, {"prefer": "return=;;=x"}, {"prefer": "respond-async"},
    {"prefer": "handling=lenient, return=OperationOutcome"}, {"accept": "text/turtle"}, {"accept": ";;;"}, {"content_encoding": "gzip"},
    {}, {}, {}, {"accept_encoding": "gzip"}, {"range": "bytes=5-1"}, {"x_request_id": "\xff" * 90}, {"accept_language": "zz;q=9,*"}, {"origin": "null"},
)  # fmt: skip
KINDS = (
    *["application/fhir+json"] * 12, "application/json", "application/json-patch+json", "application/merge-patch+json",
    "application/xml", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "; charset=x",
    "application/json; charset=utf-16", "application/fhir+ndjson",
)  # fmt: skip
BROKEN = (
    b"", b"\xff\xfe", b"{", b"[", b"null", b"7", b'"x"', b"[" * 20_000, b'{"a":' * 5_000, b'{"a":1e999999999}', b'{"a":NaN}', b"\x00", b"a=1&a=%ff",
    b'{"resourceType":"Observation","valueString":"\\u0000"}', b'{"resourceType":"Observation","valueString":"\\ud800"}',
    b'{"resourceType":"Observation","resourceType":"Patient"}', b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", b"\x1f\x8b\x08\x00junk",
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
# Operations that are there.
WORKING = (
    ("Observation", "validate"), ("ServiceRequest", "validate"), ("Patient", "everything"), ("Composition", "document"), ("Patient", "export"),
    ("Group", "export"), ("CodeSystem", "lookup"), ("CodeSystem", "validate-code"), ("ValueSet", "validate-code"), ("ValueSet", "expand"),
    ("ConceptMap", "translate"), ("CodeSystem", "subsumes"), ("Observation", "lastn"), ("Encounter", "everything"), ("Parameters", "validate"), ("Bundle", "validate"),
)  # fmt: skip
_BARE = ("GET", "HEAD", "OPTIONS", "TRACE")
_VARIABLE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


def routes(prefixes: tuple[str, ...]) -> list[str]:
    """Every address of the site that begins with one of these, as its pattern."""
    return sorted({one for one in _patterns(get_resolver().url_patterns) if one.startswith(prefixes)})


def _patterns(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, address)
        else:
            yield address


def _usual(route: str) -> tuple[str, ...]:
    """The methods that a route is made for."""
    if route.endswith("_history") or "<str:version>" in route or ".well-known" in route or "inner" in route:
        return ("GET",)
    if route in ("fhir", "fhir/") or route.startswith("cds-services/") or route.endswith("_search"):
        return ("POST",)
    if "$" in route or route.startswith("oauth/"):
        return ("POST", "POST", "GET")
    return (
        ("GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE")
        if route.endswith("<str:type>")
        else ("GET", "PUT", "PATCH", "DELETE", "PUT", "PATCH", "POST")
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it is sent."""

    method: str
    address: str
    body: bytes
    kind: str
    headers: dict[str, str]


class Chaos(random.Random):
    """Draws requests; the same seed draws the same ones."""

    house: House
    # Ids of resources that are there, by type.
    known: dict[str, list[str]]

    def draw(self, route: str) -> Request:
        """A request to a route: mostly with the method and the kind of body that it reads, so that the parts behind are reached."""
        whole = self.whole(route)
        path = self.path(route, whole if isinstance(whole, dict) else {})
        often = self.choice(_usual(route)) if self.random() < 0.85 else self.choice(METHODS)
        form = route.startswith("oauth/") or route.endswith("_search")
        usual = FORM if form else "application/json-patch+json" if isinstance(whole, list) else "application/fhir+json"
        kind = usual if self.random() < 0.9 else self.choice(KINDS)
        headers = (
            self.choice(HEADERS) if self.random() < 0.3 else {"prefer": "respond-async"} if "export" in path else {}
        )
        body = self._form(path).encode("utf-8", "surrogatepass") if kind == FORM else self._broken_text(whole)
        return Request(often, f"/{path}{self.query(path)}", b"" if often in _BARE else body, kind, headers)

    def path(self, route: str, whole: Json) -> str:
        """An address of a route, its variables filled with what may stand there and what may not."""
        kind = whole.get("resourceType") if self.random() < 0.8 else None
        type = kind if isinstance(kind, str) and kind in TYPES and "<str:type>" in route else self.choice(TYPES)
        operation = self.choice(OPERATIONS)
        if "<str:operation>" in route and self.random() < 0.8:
            type, operation = self.choice(WORKING)
        given = whole.get("id") if isinstance(whole.get("id"), str) and self.random() < 0.6 else None
        values = {"type": type, "operation": operation, "fhir_id": given or self._id(type)}

        def filled(found: re.Match[str]) -> str:
            return quote(
                (values.get(found["name"]) or self._value(found["kind"] or "str", found["name"])).encode(
                    "utf-8", "replace"
                ),
                safe="$",
            )

        return _VARIABLE.sub(filled, route)

    def _id(self, type: str) -> str:
        if type == "Patient" and self.random() < 0.6:
            return str(self.house.resident.key)
        known = self.known.get(type, [])
        if known and self.random() < 0.7:
            return self.choice(known)
        wild = [one for one in TEXTS if one and "/" not in one and len(one) < 900]
        return self.choice((self.choice(wild), str(uuid.UUID(int=9)), "1"))

    def _value(self, kind: str, name: str) -> str:
        if kind == "uuid":
            return str(uuid.UUID(int=self.getrandbits(128)))
        if kind == "int":
            return str(self.choice((0, 1, 10**18)))
        if name == "inner":
            return self.choice(TYPES)
        if name == "service_id":
            return self.choice(("contract-benefits", "recognition-sign", "recognition-select", "x"))
        if name == "version":
            return self.choice(("1", "2", "0", "-1", "9" * 40, "x"))
        return self.choice(("charts", "x", "a/b/c/d/e"))

    def _form(self, path: str) -> str:
        if "oauth" not in path:
            return self.query(path).removeprefix("?")
        names = ("grant_type", "code", "client_id", "client_secret", "redirect_uri", "scope", "refresh_token", "token", "client_assertion",
                 "client_assertion_type", "code_verifier", "response_type", "state", "resource", "claims", "prompt")  # fmt: skip
        values = ("authorization_code", "client_credentials", "refresh_token", "password", "charts", "openid", "code", "a.b.c", *TEXTS,
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code")  # fmt: skip
        pairs = [(self.choice(names), self.choice(values)) for _ in range(self.randint(0, 6))]
        return "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in pairs)

    def query(self, path: str) -> str:
        """A query string: parameters of the type in the address and others, with modifiers and values that do not fit."""
        if self.random() < 0.4:
            return ""
        type = next((part for part in path.split("/") if part in TYPES[:-3]), "Observation")
        names = [*parameters(type), "_has:Observation:patient:code", "_include", "_revinclude", "_sort", "_count", "_summary", "_elements",
                 "_total", "_since", "_at", "_format", "_type", "_typeFilter", "url", "system", "code", "filter", "offset", "x", "_page"]  # fmt: skip
        pairs = []
        for _ in range(self.randint(1, 3)):
            modifier = self.choice(
                (
                    "",
                    "",
                    ":exact",
                    ":not",
                    ":missing",
                    ":in",
                    ":above",
                    ":Patient",
                    ":identifier",
                    ":x",
                    ".name",
                    ":iterate",
                )
            )
            value = self.choice(("", "ge", "ap", "Patient/", "|")) + self.choice(TEXTS)
            pairs.append(f"{self.choice(names)}{modifier}={quote(value.encode('utf-8', 'surrogatepass'))}")
        return "?" + "&".join(pairs)

    def whole(self, route: str) -> Any:
        """What is sent before it is text: a resource, Bundle, patch or Parameters, mostly with a part or two out of joint."""
        fitting = self._wholes() if self.random() < 0.3 else self._fitting(route)
        whole: Any = copy.deepcopy(self.choice(fitting))
        for _ in range(self.choice((0, 1, 1, 2, 3))):
            inside = isinstance(whole, dict) and self.random() < 0.9
            # Mostly of its own kind still, or it would be turned away at the door.
            broken = self._broken_inside(whole) if inside else self._broken(whole)
            whole = broken
        return whole

    def _broken_text(self, whole: Any) -> bytes:
        return self.choice(BROKEN) if self.random() < 0.1 else json.dumps(whole).encode()

    def _broken_inside(self, whole: Json) -> Json:
        name = self.choice([one for one in whole if one != "resourceType"] or ["x"])
        return {**whole, name: self._broken(whole.get(name))}

    def _broken(self, value: Any) -> Any:
        """The value with one part, at any depth, replaced, dropped, doubled or put into a list."""
        if isinstance(value, dict) and value and self.random() < 0.8:
            name = self.choice(list(value))
            if self.random() < 0.15:
                return {one: part for one, part in value.items() if one != name}
            return {**value, name: self._broken(value[name])}
        if isinstance(value, list) and value and self.random() < 0.8:
            at = self.randrange(len(value))
            return [*value[:at], self._broken(value[at]), *value[at + 1 :]]
        return self.choice(
            (*JUNK, self.choice(TEXTS), [value], [value, value], {"resourceType": value}, {"value": value})
        )

    def _fitting(self, route: str) -> list[Any]:
        """What a route is made for."""
        wholes = self._wholes()
        if route in ("fhir", "fhir/"):
            return wholes[3:5]
        if route.startswith("cds"):
            return [wholes[-1]]
        if route.endswith("$process-message"):
            return [wholes[5], self._said()]
        if "$" in route:
            return [wholes[7], wholes[7], wholes[0], wholes[9]]
        return [wholes[0], wholes[1], wholes[6], wholes[7], wholes[8], wholes[8], wholes[9]]

    def _wholes(self) -> list[Any]:
        seen = self.house.observation()
        patient = {"reference": self.house.patient}
        one = {"coding": [{"system": systems.LOINC, "code": "8867-4"}], "text": "x"}
        return [
            seen,
            {**seen, "id": self._id("Observation")},
            {"resourceType": self.choice(TYPES), "id": self._id("Observation"), "status": "active", "subject": patient, "code": one},
            bundle("batch", *(entry(self.choice(METHODS), self._inner(), seen, ifMatch='W/"1"') for _ in range(3))),
            bundle("transaction", entry("POST", "Observation", seen, ifNoneExist="code=x"), entry("PUT", "Observation/a", seen)),
            bundle(self.choice(("message", "message", "document", "x")), {"resource": {"resourceType": "MessageHeader", "eventCoding": {
                "code": "servicerequest-request"}, "focus": [{"reference": "ServiceRequest/1"}]}}, {"fullUrl": "ServiceRequest/1", "resource": {
                    "resourceType": "ServiceRequest", "id": "1", "subject": patient}}),
            [{"op": self.choice(("add", "test", "move", "x")), "path": "/valueQuantity/value", "from": "/code", "value": 7}],
            self._parameters(),
            self._workflow(patient, one),
            self._vocabulary(),
            {"hook": self.choice(("order-sign", "order-select", "patient-view")), "hookInstance": str(uuid.UUID(int=7)), "context": {"patientId": str(self.house.resident.key), "selections": [
                "ServiceRequest/1"], "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": {
                    "resourceType": "ServiceRequest", "id": "1", "code": one}}]}}, "prefetch": {}},
        ]  # fmt: skip

    def _said(self) -> Json:
        """A message of any kind about what it should be about."""
        focus = self._workflow({"reference": self.house.patient}, {"text": "x"})
        kinds = [event for event, kind in FOCUS.items() if kind == focus["resourceType"]] or ["servicerequest-request"]
        header = {
            "resourceType": "MessageHeader",
            "eventCoding": {"code": self.choice(kinds)},
            "source": {"endpoint": "urn:x"},
            "focus": [{"reference": "urn:x:1"}],
        }
        return bundle("message", {"resource": header}, {"fullUrl": "urn:x:1", "resource": focus})

    def _inner(self) -> str:
        return self.choice((
            "Observation", "Observation/a", f"Observation/{self._id('Observation')}", "Patient/$match", "Observation/$validate", "Subscription/$status", "x y",
            "metadata", "Observation/a/_history/1", "Observation?code=x", "$export", "Observation/_search", "//x", "a/b/c/d/e", "_history", "%00",
        ))  # fmt: skip

    def _parameters(self) -> Json:
        person = {
            "resourceType": "Patient",
            "name": [{"text": "周桂兰"}],
            "birthDate": "1963-09-15",
            "gender": "female",
        }
        given = [
            {"name": "operation", "part": [{"name": "type", "valueCode": self.choice(("add", "replace", "move", "x"))}, {
                "name": "path", "valueString": self.choice(("Observation.status", "Observation.code.coding", "Patient", "((", "Observation.where(1)"))},
                {"name": "name", "valueString": "x"}, {"name": "value", "valueCode": "final"}]},
            {"name": "resource", "resource": person},
            {"name": "onlyCertainMatches", "valueBoolean": True},
            {"name": "count", "valueInteger": 5},
            {"name": "coding", "valueCoding": {"system": systems.LOINC, "code": "8867-4"}},
            {"name": "codeableConcept", "valueCodeableConcept": {"coding": [{"system": systems.LOINC, "code": "8867-4"}]}},
            {"name": "valueSet", "resource": self._vocabulary()},
            {"name": "url", "valueUri": "http://hl7.org/fhir/ValueSet/administrative-gender"},
            {"name": "slot", "valueReference": {"reference": "Slot/x"}},
            {"name": "hold", "valueString": str(uuid.UUID(int=1))},
            {"name": "patient", "valueReference": {"reference": self.house.patient}},
            {"name": "subscription", "valueString": "x"},
            {"name": "eventsSinceNumber", "valueString": "1"},
            {"name": "_type", "valueString": "Observation"},
            {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
            {"name": "input", "part": [{"name": "type", "valueCode": "Observation"}, {"name": "url", "valueUri": "http://127.0.0.1:9/x"}]},
        ]  # fmt: skip
        return {"resourceType": "Parameters", "parameter": self.sample(given, self.randint(1, 4))}

    def _workflow(self, patient: Json, code: Json) -> Json:
        key = self._id("ServiceRequest")
        based = [{"reference": f"ServiceRequest/{key}"}]
        return self.choice((
            {"resourceType": "ServiceRequest", "meta": {"profile": [systems.REFERRAL_PROFILE]}, "status": "active", "intent": "order",
             "priority": "urgent", "subject": patient, "performer": [{"reference": "Organization/x"}], "reasonCode": [code], "note": [{"text": "x"}],
             "extension": [{"url": systems.REFERRAL_CONSENT, "extension": [{"url": "signer", "valueString": "x"}]}]},
            {"resourceType": "Task", "id": key, "status": "accepted", "intent": "order", "businessStatus": code, "output": [{"type": code}]},
            {"resourceType": "Appointment", "status": "booked", "slot": [{"reference": "Slot/x"}], "participant": [
                {"actor": patient, "status": "accepted"}]},
            {"resourceType": "Schedule", "active": True, "actor": [{"reference": "Practitioner/x"}], "planningHorizon": {
                "start": "2026-11-23", "end": "2026-11-30"}, "identifier": [{"system": "urn:x", "value": "1"}]},
            {"resourceType": "Slot", "schedule": {"reference": f"Schedule/{key}"}, "status": "free", "start": "2026-11-23T08:00:00+08:00",
             "end": "2026-11-23T08:10:00+08:00"},
            {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Observation?code=1", "channel": {
                "type": "rest-hook", "endpoint": "http://127.0.0.1:9/hook", "payload": "application/fhir+json", "header": ["A: b"]}},
            {"resourceType": "Patient", "identifier": [{"system": systems.NATIONAL_ID, "value": "439981196309150027"}], "name": [
                {"text": "周桂兰", "family": "周"}], "gender": "female", "birthDate": "1963-09-15", "telecom": [{"system": "phone", "value": "1"}]},
            {"resourceType": "Encounter", "status": "arrived", "class": {"code": "IMP"}, "subject": patient, "basedOn": based},
            {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": patient, "supportingInfo": based, "activity": [
                {"detail": {"kind": "Task", "status": "not-started", "description": "出院后第 7 天随访"}}]},
            {"resourceType": "Communication", "status": "in-progress", "basedOn": based, "payload": [{"contentString": "x"}]},
            {"resourceType": "Composition", "status": "final", "type": code, "subject": patient, "date": "2026-11-22", "title": "x", "author": [
                {"display": "x"}], "section": [{"entry": [{"reference": "Observation/x"}]}]},
            {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": patient}]},
        ))  # fmt: skip

    def _vocabulary(self) -> Json:
        concepts = [{"code": "a", "display": "x", "concept": [{"code": "b"}]}]
        return self.choice((
            {"resourceType": "ValueSet", "status": "active", "url": "urn:v", "compose": {"include": [{"system": "urn:s", "concept": concepts}],
             "exclude": [{"system": "urn:s", "concept": [{"code": "b"}]}]}},
            {"resourceType": "CodeSystem", "status": "active", "url": "urn:s", "content": "complete", "concept": concepts},
            {"resourceType": "ConceptMap", "status": "active", "url": "urn:m", "group": [{"source": "urn:s", "target": "urn:t", "element": [
                {"code": "a", "target": [{"code": "b", "equivalence": "equal"}]}]}]},
        ))  # fmt: skip
