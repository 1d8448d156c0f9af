"""Searches against a slow oracle: the official examples, and for random parameters the same resources."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published, Row
from tests import database_run
from tests.fhir import oracle
from tests.fhir.house import searched
from tests.fhir.oracle import Json

# Storing the examples costs more than the searches: one worker does it once for both tests.
pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.xdist_group("examples")]

BASE = "http://testserver/fhir/"
# Types whose resources are asked with random values, besides those that have most examples.
ASKED = (
    "Patient", "Observation", "Encounter", "Condition", "DiagnosticReport", "ServiceRequest", "Task", "Appointment",
    "MedicationRequest", "Immunization", "Organization", "Location", "Practitioner", "PractitionerRole", "CarePlan",
    "DocumentReference", "Questionnaire", "ValueSet", "Coverage", "Procedure", "Goal", "Specimen", "Slot", "Contract",
    "AllergyIntolerance", "AuditEvent", "Provenance", "MeasureReport", "Communication", "Composition",
)  # fmt: skip
# What the oracle cannot say: spoken forms, existence, distance, and activities planned in words, which look like dates to it.
_LEFT_OUT = {"phonetic", "deceased", "near", "activity-date"}
# What stands at these places in some examples is of a kind that the parameter does not search: words for a date, an attachment
# for a reference; or a contained patient, whom the oracle cannot follow.
_OF_ANOTHER_KIND = {("Immunization", "date"), ("Consent", "source-reference"), ("ServiceRequest", "patient")}
QUESTIONS = 700
TABLES = "record_resource, record_searchkey, record_searchlink, record_searchdate, record_searchamount, record_searchstring, record_searchword"
# Every type of which there are examples and which a hospital is likely to send, with the trail and the vocabulary.
NAMED = (
    *ASKED, "RelatedPerson", "HealthcareService", "ImagingStudy", "Media", "MedicationDispense", "MedicationStatement", "CareTeam",
    "AppointmentResponse", "Schedule", "CommunicationRequest", "Consent", "QuestionnaireResponse", "PlanDefinition", "Device",
    "DeviceMetric", "EpisodeOfCare", "Flag", "List", "Bundle", "Measure", "Group", "Subscription", "CodeSystem", "ConceptMap",
)  # fmt: skip


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, list[Json]]]:
    """The official examples by type, in the record: of no resident and open to all."""
    by_type: dict[str, list[Json]] = defaultdict(list)
    for one in oracle.examples():
        by_type[one["resourceType"]].append(one)
    with django_db_blocker.unblock(), counted_anew() as count, transaction.atomic():
        store([one for resources in by_type.values() for one in resources])
        count()
        yield by_type
        transaction.set_rollback(True)


@contextmanager
def counted_anew() -> Iterator[Callable[[], None]]:
    """Lend the application the right to count what it stored, for its own transaction.

    Tests are rolled back. To the planner, which looked between two of them, the tables are empty, and what this one fills them with would
    be searched row by row, five times as long.
    """
    name = connection.settings_dict["NAME"]
    with psycopg.connect(database_run.owner_address(settings.DATA), dbname=name, autocommit=True) as owner:
        owner.execute(f"GRANT MAINTAIN ON {TABLES} TO doorstep_app")
        try:
            yield lambda: connection.cursor().execute(f"ANALYZE {TABLES}")
        finally:
            owner.execute(f"REVOKE MAINTAIN ON {TABLES} FROM doorstep_app")


def store(resources: list[Json]) -> None:
    """Put resources into the record."""
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for start in range(0, len(resources), 100):
            rows = [
                Row(published=Published(content=one, organization_id=None, occurred_at=oracle._LAST), resident_id=None)
                for one in resources[start : start + 100]
            ]
            record.write(rows, actor=actor)


def ids(type: str, *pairs: tuple[str, str]) -> set[str]:
    """The ids of all pages of a search."""
    found: set[str] = set()
    asked = [*pairs, ("_count", "200")]
    while True:
        bundle = searched(type, asked, actor=system_actor(Purpose.IMPORT), base=BASE)
        found |= {entry["resource"]["id"] for entry in bundle.get("entry", [])}
        after = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not after:
            return found
        asked = [("_cursor", after[0].partition("_cursor=")[2])]


def asked_of(kind: str, value: Any, dice: random.Random) -> str | None:
    """A value to search by, made from one that a resource has."""
    if kind == "token":
        return (
            next(iter(dice.sample(list(oracle.texts_of_tokens(value)), 1)), None)
            if list(oracle.texts_of_tokens(value))
            else None
        )
    if kind in ("reference", "uri"):
        text = value.get("reference") if isinstance(value, dict) else value
        return text.partition("/_history/")[0] if isinstance(text, str) and text and not text.startswith("#") else None
    if kind == "string":
        parts = [value] if isinstance(value, str) else [one for one in value.values() if isinstance(one, str)]
        words = [" ".join(part.casefold().split())[: dice.randint(1, 9)].strip() for part in parts]
        return next((word for word in words if word.isascii() and word), None)
    if kind == "date":
        texts = [value] if isinstance(value, str) else [value.get("start"), value.get("end")]
        known = [text for text in texts if isinstance(text, str)]
        return dice.choice(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]) + dice.choice(known) if known else None
    number = value.get("value") if isinstance(value, dict) else value
    if not isinstance(number, int | float):
        return None
    unit = value.get("code") if isinstance(value, dict) and value.get("code") and dice.random() < 0.5 else ""
    return f"{dice.choice(['gt', 'lt', 'ge', 'le'])}{number}" + (f"||{unit}" if unit else "")


def questions(by_type: dict[str, list[Json]], dice: random.Random) -> Iterator[tuple[str, str, str, str]]:
    """(type, code, kind, value) at random."""
    while True:
        type = dice.choice(ASKED)
        known = oracle.expressions(type)
        code = dice.choice(sorted(set(known) - _LEFT_OUT))
        kind, expression = known[code]
        with_value = [
            one for one in dice.sample(by_type[type], min(12, len(by_type[type]))) if oracle.values(one, expression)
        ]
        if not with_value:
            continue
        text = asked_of(kind, dice.choice(oracle.values(dice.choice(with_value), expression)), dice)
        if text and not set(text) & set(",|$\\") - set("|"):
            yield type, code, kind, text


def test_random_searches_find_what_the_oracle_finds(stored: dict[str, list[Json]]) -> None:
    wanted = {type: stored[type] for type in ASKED}
    dice = random.Random(20261122)
    stream = questions(wanted, dice)
    wrong = []
    with acting(system_actor(Purpose.IMPORT)):
        for _ in range(QUESTIONS):
            type, code, kind, text = next(stream)
            expression = oracle.expressions(type)[code][1]
            expected = {one["id"] for one in wanted[type] if oracle.matches(kind, oracle.values(one, expression), text)}
            escaped = text.replace("\\", "\\\\")
            found = ids(type, (code, escaped))
            if found != expected:
                wrong.append((type, code, kind, text, sorted(found - expected)[:4], sorted(expected - found)[:4]))
    assert wrong == []


def test_every_official_example_is_indexed_and_found(stored: dict[str, list[Json]]) -> None:
    resources = [one for known in stored.values() for one in known]
    assert len(resources) > 5_000
    with acting(system_actor(Purpose.IMPORT)):
        for type, known in stored.items():
            assert ids(type) == {one["id"] for one in known}
        for one in random.Random(7).sample(resources, 400):
            for parameter in parameters(one["resourceType"]).values():
                if parameter.code == "_id":
                    assert ids(one["resourceType"], ("_id", one["id"])) == {one["id"]}
                elif parameter.code == "identifier":
                    first = one.get("identifier")
                    first = first[0] if isinstance(first, list) else first
                    if isinstance(first, dict) and first.get("value") and not set(first["value"]) & set(",|\\"):
                        assert one["id"] in ids(one["resourceType"], ("identifier", first["value"]))


def _plain_text(value: Any) -> list[str]:
    parts = [value]
    if isinstance(value, dict):
        kept = [one for name, one in value.items() if name not in ("use", "type", "period")]
        parts = [part for one in kept for part in (one if isinstance(one, list) else [one])]
    return [one for one in parts if isinstance(one, str)]


def _modified(
    kind: str, value: Any, found: Callable[[Json], list[Any]]
) -> Iterator[tuple[str, str, Callable[[Json], bool]]]:
    """Modifiers that fit a value: (modifier, what is asked, whether a resource is to be found)."""
    if kind == "token":
        text = next(oracle.texts_of_tokens(value), None)
        if text:
            yield "not", text, lambda one: not oracle.matches("token", found(one), text)
    elif kind == "string":
        exact = next(iter(_plain_text(value)), None)
        if exact:
            yield "exact", exact, lambda one: any(exact in _plain_text(given) for given in found(one))
    elif kind == "uri" and isinstance(value, str) and value.startswith("http"):
        # Below an address stand itself and what goes on with a slash; above it the addresses that it goes on from.
        root = value.rpartition("/")[0]
        yield "below", root, lambda one: any(given == root or given.startswith(f"{root}/") for given in found(one))
        yield "above", value, lambda one: any(value == given or value.startswith(f"{given}/") for given in found(one))
    elif kind == "reference" and isinstance(value, dict) and isinstance(value.get("reference"), str):
        type, _, key = value["reference"].partition("/_history/")[0].rpartition("/")
        if type.isalpha():
            address = f"{type}/{key}"
            yield (
                type,
                key,
                lambda one: any(
                    isinstance(given, dict) and str(given.get("reference", "")).partition("/_history/")[0] == address
                    for given in found(one)
                ),
            )


def _asked_for(resources: list[Json], kind: str, expression: str) -> Iterator[tuple[str, str, Callable[[Json], bool]]]:
    """`:missing` both ways, and each modifier that fits the first value that can be asked for."""

    def found(one: Json) -> list[Any]:
        return oracle.values(one, expression)

    yield "missing", "false", lambda one: bool(found(one))
    yield "missing", "true", lambda one: not found(one)
    given = [value for one in resources for value in found(one)]
    for value in given[:40]:
        fitting = [each for each in _modified(kind, value, found) if not set(each[1]) & set(",|$\\")]
        if fitting:
            yield from fitting
            return


def test_every_parameter_of_every_named_type_with_its_modifiers_finds_what_it_should(
    stored: dict[str, list[Json]],
) -> None:
    wrong, asked, kinds = [], 0, set()
    with acting(system_actor(Purpose.IMPORT)):
        for type in NAMED:
            resources = stored[type]
            for code, (kind, expression) in sorted(oracle.expressions(type).items()):
                if code in _LEFT_OUT or kind in ("number", "quantity") or (type, code) in _OF_ANOTHER_KIND:
                    continue
                for modifier, text, wanted in _asked_for(resources, kind, expression):
                    targets = parameters(type)[code].targets
                    if modifier[0].isupper() and targets and modifier not in targets:
                        # Some examples point where R4 does not let them.
                        continue
                    expected = {one["id"] for one in resources if wanted(one)}
                    given = ids(type, (f"{code}:{modifier}", text))
                    asked += 1
                    kinds.add(modifier)
                    if given != expected:
                        wrong.append(
                            (type, code, modifier, text, sorted(given - expected)[:3], sorted(expected - given)[:3])
                        )
    assert not wrong, "\n".join(map(str, wrong))
    assert asked > 1_200
    assert {"missing", "not", "exact", "below", "above", "Patient"} <= kinds
