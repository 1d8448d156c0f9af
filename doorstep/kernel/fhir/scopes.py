"""SMART App Launch v2 scopes (hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html): what a token may do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# context / type . permissions; v1's read, write and * are understood as v2 says. Queries after "?" are not offered.
_SCOPE = re.compile(
    r"^(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<verbs>c?r?u?d?s?|read|write|\*)$"
)
_FIRST_VERSION = {"read": "rs", "write": "cud", "*": "cruds"}
LAUNCH = frozenset({"openid", "fhirUser", "profile", "launch", "launch/patient", "offline_access", "online_access"})


@dataclass(frozen=True, slots=True)
class Scopes:
    """The resource scopes of a token: (context, type or "*", verbs)."""

    granted: tuple[tuple[str, str, str], ...]

    def cover(self, type: str, verb: str) -> bool:
        """Whether one of the scopes allows the verb on the type; "*" as type asks for all types."""
        return any(kind in ("*", type) and verb in verbs for _, kind, verbs in self.granted)

    @property
    def contexts(self) -> frozenset[str]:
        """patient, user and system, as far as they occur."""
        return frozenset(context for context, _, _ in self.granted)


# Of the request that is being answered; None where a token has no scopes and gives all that its actor may.
_granted: ContextVar[Scopes | None] = ContextVar("granted scopes", default=None)


@contextmanager
def granting(scopes: Scopes | None) -> Iterator[None]:
    """Answer a request under the scopes of its token: what it reaches beyond the type that it names is asked of them too."""
    before = _granted.set(scopes)
    try:
        yield
    finally:
        _granted.reset(before)


def covers(type: str, verbs: str) -> bool:
    """Whether the token of the request that is being answered allows one of the verbs on a type; outside a request everything is."""
    scopes = _granted.get()
    return scopes is None or any(scopes.cover(type, verb) for verb in verbs)


def parse(text: str) -> Scopes:
    """The resource scopes in a list of scopes; what is not one is passed over."""
    found = []
    for part in text.split():
        match = _SCOPE.match(part)
        if match and match["verbs"]:
            found.append((match["context"], match["type"], _FIRST_VERSION.get(match["verbs"], match["verbs"])))
    return Scopes(tuple(found))


def is_scope(text: str) -> bool:
    """Whether a text is a scope that this server knows."""
    match = _SCOPE.match(text)
    return text in LAUNCH or (match is not None and bool(match["verbs"]))
