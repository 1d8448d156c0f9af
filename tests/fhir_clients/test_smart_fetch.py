"""smart-fetch (PyPI): whole exports, in bulk and by searches, with its own signed assertions."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.fhir_clients.running import Service


@pytest.fixture(scope="module")
def recorded(running: Service) -> int:
    """How many heart rates were sent for the export."""
    answer = httpx.post(
        running.base,
        json=running.observations(7, note=[{"text": "smart-fetch"}]),
        headers={"authorization": f"Bearer {running.token('smart-fetch')}", "content-type": "application/fhir+json"},
    )
    return len(answer.raise_for_status().json()["entry"])


def _fetch(running: Service, folder: Path, *words: str) -> str:
    key = running.jwks_file("smart-fetch", folder.parent)
    access = ["--fhir-url", running.base, "--smart-client-id", "smart-fetch", "--smart-key", str(key)]
    command = [
        sys.executable,
        "-c",
        "from smart_fetch.cli.main import main_cli; main_cli()",
        *words,
        str(folder),
        "--no-compression",
        *access,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(running.said()) from error
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _lines(folder: Path) -> list[dict[str, object]]:
    files = [path for path in folder.rglob("*.ndjson") if path.name != "log.ndjson" and not path.is_symlink()]
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def test_smart_fetch_exports_all_in_bulk(running: Service, recorded: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _fetch(running, out, "bulk", "--type", "Patient,Observation")
    kinds = Counter(str(one["resourceType"]) for one in _lines(out))
    assert kinds["Patient"] == 1
    assert kinds["Observation"] >= recorded
    log = [json.loads(line) for line in (out / "log.ndjson").read_text().splitlines()]
    assert log[-1]["eventId"] == "export_complete"


def test_smart_fetch_exports_a_group_and_then_only_what_is_new(running: Service, recorded: int, tmp_path: Path) -> None:
    group = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{running.patient}"}}],
    }
    headers = {"authorization": f"Bearer {running.token('smart-fetch')}"}
    made = httpx.post(f"{running.base}/Group", json=group, headers=headers).raise_for_status().json()
    out = tmp_path / "out"
    words = ("export", "--export-mode", "bulk", "--group", made["id"], "--type", "Patient,Observation")
    _fetch(running, out, *words, "--nickname", "first", "--hydration-tasks", "none")
    first = Counter(str(one["resourceType"]) for one in _lines(out))
    assert first["Patient"] == 1
    assert first["Observation"] >= recorded
    posted = httpx.post(f"{running.base}/Observation", json=running.observation(), headers=headers).raise_for_status()
    _fetch(running, out, *words, "--nickname", "second", "--hydration-tasks", "none", "--since", "auto")
    later = _lines(next(out.glob("*.second")))
    assert posted.json()["id"] in {one["id"] for one in later}
    assert len(later) < sum(first.values())


def test_smart_fetch_crawls_by_searches(running: Service, recorded: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("crawl", "--type", "Patient,Observation,Encounter", "--id-list", running.patient)
    _fetch(running, out, *words)
    kinds = Counter(str(one["resourceType"]) for one in _lines(out))
    assert kinds["Patient"] == 1
    assert kinds["Observation"] >= recorded
