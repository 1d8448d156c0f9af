"""bin/doorstep: what operators do with an installation, each word standing for one command."""

import argparse
import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from doorstep.kernel.database import embedded
from doorstep.kernel.database.embedded import EmbeddedError
from doorstep.site import backup, processes, supervisor
from doorstep.site.installation import ROOT, Installation, InstallationError, has_command

# Word of the operator: management command, its first arguments, the database role, one line of help.
MANAGEMENT: dict[str, tuple[str, list[str], str, str]] = {
    "verify": ("verify_{0}", [], "app", "verify audit: find changed, missing or inserted entries of the audit trail"),
    "administrator": (
        "make_administrator",
        [],
        "app",
        "administrator USERNAME [--organization-name NAME]: make the first administrator, or renew one's password",
    ),
    "import": (
        "import_{0}",
        [],
        "app",
        "import residents FILE --organization CODE, import ndjson FILE --system NAME: take in residents, or FHIR resources",
    ),
    "export": ("export_{0}", [], "app", "export residents FILE --organization CODE --reason TEXT: write such a table"),
    "doubles": ("find_doubles", [], "app", "search the index for records of one person, for the review list"),
    "link": ("link_list", [], "app", "link FILE --organization CODE --out FILE: link a hospital's list with the index"),
    "token": ("issue_token", [], "app", "token NAME: print a bearer token of a system that calls /fhir"),
    "app": (
        "register_app",
        [],
        "app",
        "app NAME --display TEXT --redirect URL [--launch URL]: let an app of others in",
    ),
    "otp": ("show_otp", [], "app", "otp USERNAME: print the one-time code of a demo account"),
    "accounts": ("demo_accounts", [], "app", "print the demo accounts"),
    "migrate": ("migrate_all", [], "owner", "bring the database up to date after an upgrade"),
    "web": ("", [], "app", "serve the pages, on --port (8000)"),
    "worker": ("", [], "app", "work off the jobs"),
    "live": ("", [], "app", "serve live messages, on --port (8001)"),
    "ingest": ("ingest", [], "app", "take in HL7 v2 messages of hospital systems, on --port (8002)"),
    "simulate-hospital": ("simulate_hospital", [], "app", "send real-looking messages of the demo hospital to ingest"),
    "initialize": ("", [], "owner", "make the database and the secrets of a new installation"),
    "backup": ("", [], "owner", "backup FILE: database and sealed secrets in one file"),
    "restore": ("", [], "owner", "restore FILE: fill a new directory from a backup"),
}
PASSPHRASE = "DOORSTEP_BACKUP_PASSPHRASE"  # noqa: S105  the name of the variable, not the passphrase


def main(arguments: list[str]) -> int:
    """Run one command of an operator and return its exit code; what stands in the way is said in a sentence."""
    parser = argparse.ArgumentParser(
        prog="bin/doorstep",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="\n".join(f"  {word:<18}{line[3]}" for word, line in MANAGEMENT.items()),
    )
    parser.add_argument("command", choices=MANAGEMENT, metavar="COMMAND")
    parser.add_argument("--data", default=os.environ.get("DOORSTEP_DATA", str(ROOT / ".doorstep")))
    options, rest = parser.parse_known_args(arguments)
    installation = Installation(Path(options.data).expanduser().resolve())
    try:
        return _run(installation, options.command, rest)
    except (InstallationError, EmbeddedError) as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, psycopg.Error) as error:
        print(f"The command could not be finished: {error}".strip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(installation: Installation, word: str, rest: list[str]) -> int:
    new = word in {"initialize", "restore"}
    if not new and not (installation.directory / "secrets.json").exists():
        raise InstallationError(
            f"There is no installation in {installation.directory}: name its directory with --data, "
            f"or make one with bin/run or bin/doorstep initialize."
        )
    if new:
        installation.check_directory()
    started = installation.uses_embedded_database and not embedded.is_running(installation.directory)
    try:
        if word != "restore":
            installation.start_database()
        own: dict[str, Callable[[Installation, list[str]], int]] = {
            "initialize": _initialize,
            "backup": _backup,
            "restore": _restore,
            "web": _web,
            "worker": _worker,
            "live": _live,
        }
        return own[word](installation, rest) if word in own else _manage(installation, word, rest)
    finally:
        if started:
            embedded.stop(installation.directory)


def _manage(installation: Installation, word: str, rest: list[str]) -> int:
    pattern, first, role, line = MANAGEMENT[word]
    if "{0}" in pattern:
        if not rest:
            raise InstallationError(f"Say what: bin/doorstep {line}")
        pattern, rest = pattern.format(rest[0]), rest[1:]
    if not has_command(pattern):
        raise InstallationError(f"This version has no command {pattern.replace('_', ' ')}. It knows: {line}")
    return _call(installation, ["-m", "django", pattern, *first, *rest], role=role)


def _initialize(installation: Installation, rest: list[str]) -> int:
    installation.run("migrate_all", *rest, "--verbosity", "0", role="owner", quiet=True)
    if not installation.county_file.exists():
        installation.county_file.write_text("empty\n", encoding="utf-8")
    print(f"The installation in {installation.directory} is ready. Keep a copy of its secrets.json in a safe.")
    return 0


def _backup(installation: Installation, rest: list[str]) -> int:
    target = _file(rest, "backup FILE")
    backup.backup(installation, target=target, passphrase=_passphrase(twice=True))
    print(f"{target}: {target.stat().st_size:,} bytes. Keep the passphrase apart from it.")
    return 0


def _restore(installation: Installation, rest: list[str]) -> int:
    source = _file(rest, "restore FILE")
    if not source.exists():
        raise InstallationError(f"There is no file {source}.")
    backup.restore(installation, source=source, passphrase=_passphrase(twice=False))
    print(f"Restored into {installation.directory}.")
    return 0


def _web(installation: Installation, rest: list[str]) -> int:
    address = ["--host", "127.0.0.1", "--port", _port(rest, "8000"), "--log-level", "warning"]
    words = ["-m", "granian", *processes.WEB, *address]
    return _call(installation, [*words, "doorstep.site.wsgi:application"])


def _live(installation: Installation, rest: list[str]) -> int:
    address = ["--host", "127.0.0.1", "--port", _port(rest, "8001"), "--log-level", "warning"]
    return _call(installation, ["-m", "granian", "--interface", "asginl", *address, "doorstep.site.live:application"])


def _worker(installation: Installation, rest: list[str]) -> int:
    return _call(installation, ["-m", "django", *supervisor.worker_arguments(), *rest])


def _call(installation: Installation, words: list[str], *, role: str = "app") -> int:
    return in_front([sys.executable, *words], environment=installation.environment(role=role))


def in_front(words: list[str], *, environment: Mapping[str, str]) -> int:
    """Run a program in the foreground until it ends by itself; returns its code.

    Ctrl-C reaches it from the terminal; whoever stops us by SIGTERM, as a service manager does, means the program, which would go on
    without us.
    """
    process = subprocess.Popen(words, env=environment)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)


def _file(rest: list[str], usage: str) -> Path:
    if len(rest) != 1:
        raise InstallationError(f"Name one file: bin/doorstep {usage} [--data DIR]")
    return Path(rest[0]).expanduser().resolve()


def _port(rest: list[str], default: str) -> str:
    if not rest:
        return default
    if len(rest) == len(["--port", default]) and rest[0] == "--port" and rest[1].isdecimal():
        return rest[1]
    raise InstallationError("The only option is --port and a number.")


def _passphrase(*, twice: bool) -> str:
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise InstallationError(f"Set the environment variable {PASSPHRASE}: it seals the secrets inside the backup.")
    entered = getpass.getpass("Passphrase of the backup: ")
    if not entered or (twice and getpass.getpass("Once more: ") != entered):
        raise InstallationError("The passphrase is empty or was not repeated: start again.")
    return entered
