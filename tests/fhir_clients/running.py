"""A server and a worker as an installation runs them, on a database of their own, with a resident and registered clients."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from django.db import connections
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from oauth2_provider.models import Application

from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.database import secrets
from doorstep.kernel.database.embedded import Server
from doorstep.people.organizations.models import Department
from doorstep.people.residents import actions as residents
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_world
from doorstep.site import supervisor
from tests import database_run
from tests.journeys.house import free_port

# Six requests a second, sixty at once: a client that hammers is told to wait within the patience of a test.
REQUESTS_A_MINUTE = "360"
REDIRECT = "http://127.0.0.1:9/back"
PASSWORD = "correct-horse-9"
CLIENTS = ("fhirpy", "fhirclient", "smart-fetch", "fhir-kit", "medplum", "hasty")
WAIT_SECONDS = 60.0


@dataclass
class Service:
    """A running server: its address, the resident whom its clients may see, and the key of each client."""

    base: str
    patient: str
    keys: dict[str, JWK]
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    log: Path = Path()

    def said(self) -> str:
        """Whether the server and the worker live, and what they wrote."""
        return f"{[child.poll() for child in self.children]}\n{self.log.read_text()}"

    def smart(self) -> dict[str, Any]:
        """Where tokens come from, as any client finds out."""
        found: dict[str, Any] = httpx.get(f"{self.base}/.well-known/smart-configuration").raise_for_status().json()
        return found

    def assertion(self, client: str) -> str:
        """A signed assertion of a client, for the token endpoint."""
        claims = {
            "iss": client,
            "sub": client,
            "aud": self.smart()["token_endpoint"],
            "exp": int(time.time()) + 120,
            "jti": uuid.uuid4().hex,
        }
        signed = JWT(header={"alg": "ES384", "typ": "JWT", "kid": client}, claims=claims)
        signed.make_signed_token(self.keys[client])
        return str(signed.serialize())

    def token(self, client: str, scope: str = "system/*.cruds") -> str:
        """An access token from the token endpoint."""
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(client),
        }
        return str(httpx.post(self.smart()["token_endpoint"], data=form).raise_for_status().json()["access_token"])

    def jwks_file(self, client: str, folder: Path) -> Path:
        """The private key of a client as it keeps it."""
        key = {**json.loads(self.keys[client].export()), "alg": "ES384", "key_ops": ["sign"]}
        path = folder / f"{client}.jwks"
        path.write_text(json.dumps({"keys": [key]}))
        return path

    def observations(self, count: int, **more: Any) -> dict[str, Any]:
        """A transaction that records so many heart rates of the resident."""
        entries = [
            {
                "fullUrl": f"urn:uuid:{uuid.uuid4()}",
                "resource": self.observation(value=60 + number, **more),
                "request": {"method": "POST", "url": "Observation"},
            }
            for number in range(count)
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    def observation(self, *, value: float = 72, **more: Any) -> dict[str, Any]:
        """A heart rate of the resident."""
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORIES, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "心率"},
            "subject": {"reference": f"Patient/{self.patient}"},
            "effectiveDateTime": "2026-05-01T08:00:00+08:00",
            "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
            **more,
        }


CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


@contextmanager
def service(run: Path, name: str) -> Iterator[Service]:
    """A started service; its processes are gone afterwards."""
    server = Server(run / "postgres" / "socket", 5432)
    database_run.recreate(server, name)
    with _using(name):
        patient, keys = _filled()
    with tempfile.TemporaryDirectory(prefix="doorstep-clients-") as folder:
        port = free_port()
        made = Service(f"http://127.0.0.1:{port}/fhir", patient, keys, log=Path(folder) / "log")
        try:
            _start(made, run, name, port)
            yield made
        finally:
            for child in made.children:
                child.terminate()
            for child in made.children:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(10)
                child.kill()


@contextmanager
def _using(name: str) -> Iterator[None]:
    """Let this process write into another database for a moment."""
    connection = connections["default"]
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def _filled() -> tuple[str, dict[str, JWK]]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.lead, world.village))
    keys = {}
    with acting(system_actor(Purpose.IMPORT)) as actor:
        residents.publish(resident, actor=actor)
        Department.objects.create(organization_id=world.lead, code="0301", name="心血管内科")
        user = User.objects.create_user("zhou", password=PASSWORD, kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=resident, since=date(2024, 1, 1))
        for client in CLIENTS:
            keys[client] = JWK.generate(kty="EC", crv="P-384", kid=client)
            public = {"keys": [json.loads(keys[client].export_public())]}
            access.register_keys(
                name=client,
                display=client,
                organization_id=world.lead,
                jwks=public,
                scopes="system/*.cruds",
                actor=actor,
            )
            Application.objects.create(
                client_id=client,
                name=client,
                client_type=Application.CLIENT_CONFIDENTIAL,
                authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
            )
        Application.objects.create(
            client_id="record-app",
            name="健康手机应用",
            redirect_uris=REDIRECT,
            client_type=Application.CLIENT_PUBLIC,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        )
    return str(resident.key), keys


def _start(made: Service, run: Path, name: str, port: int) -> None:
    address = json.loads((run / "secrets.json").read_text())["database_url_app"]
    environment = {
        **os.environ,
        "DATABASE_URL": address.replace(f"@/{secrets.DATABASE}?", f"@/{name}?"),
        "DOORSTEP_FHIR_REQUESTS_A_MINUTE": REQUESTS_A_MINUTE,
    }
    granian = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    web = [*granian, "--workers", "1", "--blocking-threads", "4", "--log-level", "warning"]
    with made.log.open("wb") as log:
        for words in ([*web, "doorstep.site.wsgi:application"], ["-m", "django", *supervisor.worker_arguments()]):
            made.children.append(
                subprocess.Popen(
                    [sys.executable, *words], cwd=database_run.ROOT, env=environment, stdout=log, stderr=log
                )
            )
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{made.base}/metadata", timeout=10).status_code == 200:
                return
        assert made.children[0].poll() is None, made.said()
        time.sleep(0.1)
    raise AssertionError(made.said())
