"""The operators' door: a backup comes back whole, and what stands in the way is a sentence."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import psycopg
import pytest

from doorstep.kernel.database import embedded
from doorstep.site import cli
from doorstep.site.backup import PIECE_BYTES, seal, seal_file, unseal, unseal_file, without_password
from doorstep.site.installation import InstallationError

pytestmark = pytest.mark.slow


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_URL_OWNER", "DOORSTEP_DATA", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(cli.PASSPHRASE, "a long passphrase")


@pytest.mark.journey
@pytest.mark.usefixtures("plain_environment")
def test_restore_gives_back_what_backup_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "county.backup"
    tmp_path.chmod(0o711)
    assert cli.main(["initialize", "--data", str(first)]) == 0
    server = embedded.start(first)
    with psycopg.connect(server.superuser("doorstep"), autocommit=True) as connection:
        connection.execute("INSERT INTO django_content_type (app_label, model) VALUES ('kept', 'row')")
    embedded.stop(first)
    assert cli.main(["backup", str(file), "--data", str(first)]) == 0
    assert oct(file.stat().st_mode)[-3:] == "600"
    # Whoever finds the file reads neither keys nor people.
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["database.sealed", "secrets.sealed"]
    assert b"PGDMP" not in file.read_bytes()
    assert [path.name for path in first.iterdir() if path.name.startswith("tmp")] == []
    assert cli.main(["restore", str(file), "--data", str(second)]) == 0
    assert not embedded.is_running(first)
    assert not embedded.is_running(second)
    keys = [json.loads((directory / "secrets.json").read_text())["field_key"] for directory in (first, second)]
    assert keys[0] == keys[1]
    server = embedded.start(second)
    with psycopg.connect(server.superuser("doorstep")) as connection:
        query = "SELECT count(*) FROM django_content_type WHERE app_label = 'kept'"
        assert connection.execute(query).fetchone() == (1,)
        walls = "SELECT count(*) > 0 FROM pg_policies WHERE policyname = 'doorstep_access'"
        assert connection.execute(walls).fetchone() == (True,)
    embedded.stop(second)
    assert cli.main(["restore", str(file), "--data", str(second)]) == 1
    assert "restore into a new directory" in capsys.readouterr().err


@pytest.mark.usefixtures("plain_environment")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["token", "demo"], "There is no installation in"),
        (["restore", "nowhere.backup"], "There is no file"),
        (["initialize"], "is a file, not a directory"),
    ],
)
def test_main_says_what_stands_in_the_way(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "data"
    if arguments == ["initialize"]:
        directory.write_text("")
    assert cli.main([*arguments, "--data", str(directory)]) == 1
    assert sentence in capsys.readouterr().err


def test_unseal_refuses_another_passphrase() -> None:
    sealed = seal(b"secret", passphrase="right")
    assert unseal(sealed, passphrase="right") == b"secret"
    with pytest.raises(InstallationError, match="not the one of this backup"):
        unseal(sealed, passphrase="wrong")


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_sealed_file_is_opened_whole_or_not_at_all(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    plain.write_bytes(content)
    seal_file(plain, sealed, passphrase="right")
    unseal_file(sealed, opened, passphrase="right")
    assert opened.read_bytes() == content
    whole, piece = sealed.read_bytes(), PIECE_BYTES + 16
    head, pieces = whole[:23], [whole[23 + start : 23 + start + piece] for start in range(0, len(whole) - 23, piece)]
    broken = {
        "cut": whole[:-1],
        "bit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "last piece gone": head + b"".join(pieces[:-1]),
        "pieces exchanged": head + b"".join([*pieces[1:2], *pieces[:1], *pieces[2:]]),
    }
    for number, (name, data) in enumerate(broken.items()):
        if data == whole:
            continue
        (tmp_path / f"broken{number}").write_bytes(data)
        with pytest.raises(InstallationError, match="damaged"):
            unseal_file(tmp_path / f"broken{number}", tmp_path / f"out{number}", passphrase="right")
        assert name
    with pytest.raises(InstallationError, match="not the one of this backup"):
        unseal_file(sealed, tmp_path / "other", passphrase="wrong")


def test_no_argument_of_a_program_holds_the_password() -> None:
    address = "postgresql://doorstep_owner:s%40cret@/doorstep?host=/run/x&port=5432"
    assert without_password(address) == (
        "postgresql://doorstep_owner@/doorstep?host=/run/x&port=5432",
        {"PGPASSWORD": "s@cret"},
    )
    assert without_password("postgresql://owner:x@db.local:5433/d") == (
        "postgresql://owner@db.local:5433/d",
        {"PGPASSWORD": "x"},
    )
    assert without_password("postgresql://owner@db/d") == ("postgresql://owner@db/d", {})


@pytest.mark.usefixtures("plain_environment")
def test_run_on_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "doorstep.site.supervisor", "--data", str(tmp_path / "data"), "--port", "1"]
    with subprocess.Popen([sys.executable, "-m", "http.server", "18471", "--bind", "127.0.0.1"]) as other:
        try:
            deadline = 50
            while deadline and "cannot be used" not in (said := _said([*words[:-1], "18471"])):
                deadline -= 1
            assert "Port 18471 on 127.0.0.1 cannot be used" in said
            assert "Traceback" not in said
        finally:
            other.terminate()


def _said(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stderr


_SERVICE = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: (Path(sys.argv[1]).write_text("ended in order"), sys.exit(0)))
Path(sys.argv[1]).write_text("serving")
time.sleep(60)
"""
_DOOR = (
    "import os, sys; from doorstep.site.cli import in_front; sys.exit(in_front(sys.argv[1:], environment=os.environ))"
)


def test_who_stops_the_door_stops_the_program_behind_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    door = subprocess.Popen([sys.executable, "-c", _DOOR, sys.executable, "-c", _SERVICE, str(said)])
    until = time.monotonic() + 30
    while not said.exists() and time.monotonic() < until:
        time.sleep(0.05)
    door.send_signal(signal.SIGTERM)
    assert door.wait(30) == 0
    assert said.read_text() == "ended in order"
