"""The seed: whole or not at all, the same for the same seed, and as the apps themselves would have written it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from doorstep.coordination.visits.models import Visit
from doorstep.demo.accounts import FILE_NAME, PASSWORD, demo_code
from doorstep.demo.county import heroes
from doorstep.demo.loading.keys import key
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.record.models import Resource, ResourceVersion
from doorstep.kernel.record.reindexing import reindex
from doorstep.kernel.record.search_index import index_of
from doorstep.kernel.record.search_index import number as number_of
from doorstep.people.residents.models import Identifier, PanelEntry, Resident
from doorstep.people.residents.patient import to_patient
from doorstep.site.actors import of_user

ROOT = Path(__file__).resolve().parents[3]
TODAY = "2026-03-02"


def start(database: psycopg.Connection, *arguments: str) -> subprocess.Popen[str]:
    """The command as an operator runs it, against the database of this test, as its owner."""
    info = database.info
    address = f"postgresql://{info.user}:{info.password}@localhost:{info.port}/{info.dbname}?host={info.host}"
    environment = {**os.environ, "DOORSTEP_DATABASE_ROLE": "owner", "DATABASE_URL_OWNER": address}
    words = [sys.executable, "-m", "django", "seed_county", "--residents", "300", "--today", TODAY, *arguments]
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(database: psycopg.Connection, *arguments: str) -> tuple[int, str]:
    process = start(database, *arguments)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def number(database: psycopg.Connection, statement: str) -> int:
    row = database.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


# Names and rules, but of indexes not the words: PostgreSQL spells a condition in its own way when it is made again.
SCHEMA = """
SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM (
  SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) || convalidated AS line FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('|', indexrelid::regclass, indrelid::regclass, indkey, indisunique, indisvalid, indpred IS NULL)
   FROM pg_index WHERE indrelid::regclass::text !~ '^pg_'
  UNION ALL SELECT tablename || policyname || qual FROM pg_policies WHERE schemaname = 'public') x
"""


@pytest.mark.journey
def test_seed_county_fills_an_empty_database(owner_connection: psycopg.Connection) -> None:
    before = owner_connection.execute(SCHEMA).fetchone()
    code, said = run(owner_connection)
    assert code == 0, said
    assert "300 residents" in said
    assert owner_connection.execute(SCHEMA).fetchone() == before, "a load must leave indexes and walls as they were"
    _check_residents()
    _check_walls()
    _check_record()
    _check_index(owner_connection)
    _check_accounts()
    again, refusal = run(owner_connection)
    assert again != 0
    assert "only made in an empty one" in refusal
    assert number(owner_connection, "SELECT count(*) FROM residents_resident") == 300


def _check_residents() -> None:
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.count() == 300
        zhou = Resident.objects.get(id=heroes.HEROINE)
        assert (zhou.name, zhou.key) == ("周桂兰", key("resident", 1, heroes.HEROINE))
        assert zhou.national_id.startswith("439981")
        assert Identifier.objects.filter(resident=zhou).count() == 3
        assert not Resident.objects.filter(organization__isnull=True).exists()
        # The database deals numbers from where the load stopped.
        fresh = Resident.objects.create(
            name="新居民", gender="male", birth_date="1990-01-01", organization_id=heroes.HOME_CLINIC
        )
        assert fresh.pk == 301
        fresh.delete()


def _check_walls() -> None:
    with acting(system_actor(Purpose.SIGN_IN)):
        users = {user.username: user for user in User.objects.filter(is_demo=True)}
    for name, sees in {"village": True, "family": True, "nurse": True, "zhou": True, "daughter": True,
                       "stranger": False, "manager": False, "office": False}.items():  # fmt: skip
        with acting(of_actor(users[name])):
            assert Resident.objects.filter(id=heroes.HEROINE).exists() is sees, name
    with acting(of_actor(users["village"])):
        assert PanelEntry.objects.filter(resident_id=heroes.HEROINE).exists()
        ties = CareRelationship.objects.filter(resident_id=heroes.HEROINE, reason="contract")
        assert ties.filter(organization_id=heroes.HOME_CLINIC).count() == 1


def of_actor(user: User):  # type: ignore[no-untyped-def]
    with acting(system_actor(Purpose.SIGN_IN)):
        return of_user(user)


def _check_record() -> None:
    """A loaded resource is what the app itself writes."""
    with acting(system_actor(Purpose.IMPORT)):
        assert Resource.objects.count() == ResourceVersion.objects.filter(version=1).count() > 3_000
        for kind in ("Patient", "Encounter", "Observation", "Condition", "MedicationStatement", "Contract", "CareTeam"):
            found = list(Resource.objects.filter(type=kind).order_by("id")[:50])
            assert found, kind
            for one in found:
                wanted = index_of(one.content)
                assert (one.ref, sorted(one.keys), one.present) == (wanted.ref, wanted.keys, wanted.present)
                assert one.content["meta"]["versionId"] == "1"
        for resident in Resident.objects.select_related("organization").order_by("id")[:40]:
            written = Resource.objects.get(type="Patient", fhir_id=str(resident.key)).content
            house = resident.organization
            patient = to_patient(resident, organization_key=house.key, organization_name=house.name).content
            assert {name: written[name] for name in written if name != "meta"} == patient
        visit = Visit.objects.filter(resident_id=heroes.HEROINE).order_by("id")[0]
        encounter = Resource.objects.get(type="Encounter", fhir_id=str(visit.key))
        assert encounter.episode == visit.subject
        pressure = Resource.objects.filter(
            episode=visit.subject, type="Observation", keys__contains=[number_of("Observation.code|c|85354-9")]
        )
        assert all(len(one.content["component"]) == 2 for one in pressure)


# Everything in the index of searches, whatever place a row has among those of its resource.
INDEX = """
SELECT md5(string_agg(line, chr(10) ORDER BY line)), count(*) FROM (
  SELECT concat_ws('|', 'k', key, resource_id) AS line FROM record_searchkey
  UNION ALL SELECT concat_ws('|', 'l', name, target, resource_id) FROM record_searchlink
  UNION ALL SELECT concat_ws('|', 'd', name, resource_id, low, high) FROM record_searchdate
  UNION ALL SELECT concat_ws('|', 'a', name, resource_id, resident_id, low, high, unit, code, system_code, base, base_low, base_high) FROM record_searchamount
  UNION ALL SELECT concat_ws('|', 's', name, resource_id, resident_id, norm, text) FROM record_searchstring
  UNION ALL SELECT concat_ws('|', 'w', name, norm, key) FROM record_searchword) x
"""


def _check_index(database: psycopg.Connection) -> None:
    """The index that was loaded is the one that the resources themselves would give."""
    loaded = database.execute(INDEX).fetchone()
    with database.transaction(), database.cursor() as cursor:
        reindex(cursor)
    assert database.execute(INDEX).fetchone() == loaded
    assert loaded is not None
    assert loaded[1] > 20_000


def _check_accounts() -> None:
    with acting(system_actor(Purpose.SIGN_IN)) as actor:
        bind(actor)
        village = User.objects.get(username="village")
        assert village.check_password(PASSWORD)
        assert len(demo_code(village)) == 6
        daughter = User.objects.get(username="daughter")
        assert set(daughter.resident_links.values_list("resident_id", flat=True)) == {heroes.HEROINE, heroes.DAUGHTER}
    (Path(os.environ["DOORSTEP_DATA"]) / FILE_NAME).unlink()


@pytest.mark.journey
def test_seed_county_gives_the_same_county_for_the_same_seed(owner_connection: psycopg.Connection) -> None:
    facts = (
        "SELECT md5(string_agg(concat_ws('|', id, key, name, birth_date, household_id, organization_id), ',' ORDER BY id))"
        " FROM residents_resident",
        "SELECT md5(string_agg(content::text, ',' ORDER BY id)) FROM record_resource WHERE updated_at < '2026-03-02'",
        "SELECT md5(string_agg(concat_ws('|', resident_id, kind, index, live), ',' ORDER BY id)) FROM residents_identifier",
    )
    digests = []
    for processes in ("0", "2"):
        code, said = run(owner_connection, "--processes", processes)
        assert code == 0, said
        digests.append([owner_connection.execute(fact).fetchone() for fact in facts])
        _empty(owner_connection)
    assert digests[0] == digests[1]


def _empty(database: psycopg.Connection) -> None:
    tables = database.execute(
        "SELECT string_agg(quote_ident(tablename), ',') FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename NOT LIKE 'django%'"
    ).fetchone()
    assert tables is not None
    database.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY CASCADE")


@pytest.mark.journey
def test_seed_county_killed_in_the_middle_leaves_an_empty_database(owner_connection: psycopg.Connection) -> None:
    before = owner_connection.execute(SCHEMA).fetchone()
    process = start(owner_connection)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' OR query LIKE 'ALTER%ADD%'"
    deadline = time.monotonic() + 120
    while number(owner_connection, busy) == 0 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    while number(owner_connection, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") > 1:
        time.sleep(0.05)
    assert number(owner_connection, "SELECT count(*) FROM organizations_organization") == 0
    assert owner_connection.execute(SCHEMA).fetchone() == before
    code, said = run(owner_connection)
    assert code == 0, said
