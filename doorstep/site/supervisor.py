"""bin/run: the whole product on one machine, from an empty directory to a served page, with one process to stop it."""

import argparse
import contextlib
import fcntl
import importlib.util
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psycopg

from doorstep.kernel.database import embedded
from doorstep.kernel.database.embedded import EmbeddedError
from doorstep.site import processes, program
from doorstep.site.installation import FREE_BYTES, ROOT, Installation, InstallationError, has_command
from doorstep.site.processes import Child

DEFAULT_PORT = 8000
DEFAULT_RESIDENTS = 5000
# How many days a new county has lived; a large one would take hours over them.
DEFAULT_DAYS = 10
LIVED_BELOW = 10_000
# Of the ten seconds in which everything stops; the rest belongs to the database.
CHILDREN_SECONDS = 6.0
ANSWER_SECONDS = 180.0
PORT_SECONDS = 1.0
AGAIN_SECONDS = 5.0

# Where collectstatic puts the assets (settings.STATIC_ROOT); a fresh checkout has none.
COLLECTED = ROOT / "build" / "static"


def main(arguments: list[str]) -> int:
    """Serve until asked to stop; return the exit code."""
    options = _options(arguments)
    installation = Installation(Path(options.data).expanduser().resolve())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        installation.check_directory()
        with _only_one(installation):
            _serve(installation, options)
    except KeyboardInterrupt:
        pass
    except (InstallationError, EmbeddedError) as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, psycopg.Error) as error:
        # A disk that fills up in the middle, a server that somebody else stopped.
        print(f"{installation.directory} cannot be served: {error}".strip(), file=sys.stderr)
        return 1
    return 0


def _serve(installation: Installation, options: argparse.Namespace) -> None:
    if processes.clear_leftovers(installation.directory):
        # The kernel gives a killed program's ports back a moment after its memory.
        time.sleep(PORT_SECONDS)
    mllp_port = options.mllp_port or options.port + 2
    _check_ports(options.port, options.port + 1, mllp_port)
    children: list[Child] = []
    try:
        installation.start_database()
        _fill(installation, residents=options.residents, days=options.days, empty=options.empty)
        children += _children(installation, port=options.port, mllp_port=mllp_port)
        # The pages first: programs that load together on few cores are all late.
        pages, *others = children
        pages.start()
        _wait_for_answer([pages], port=options.port)
        for child in others:
            child.start()
        _greet(installation, port=options.port, mllp_port=mllp_port)
        _watch(installation, children)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes.stop_all(children, seconds=CHILDREN_SECONDS)
        if installation.uses_embedded_database:
            embedded.stop(installation.directory)


def _fill(installation: Installation, *, residents: int, days: int, empty: bool) -> None:
    """Migrate, and give a new database its county; a county that was killed half way is made again from nothing."""
    state = installation.county_file.read_text(encoding="utf-8").strip() if installation.county_file.exists() else ""
    if state == "seeding":
        _say("The last start was stopped while it made the demo county: making it again.")
        installation.recreate_database()
    if not state:
        _say("Making the database.")
    code = program.digest()
    if state not in {"", "seeding"} and installation.program_file_says(code) and COLLECTED.exists():
        # The same program served this directory last: tables, policies and assets are as it left them.
        return
    installation.run("migrate_all", "--verbosity", "0", role="owner", quiet=True)
    installation.run("collectstatic", "--no-input", "--verbosity", "0", quiet=True)
    if state not in {"", "seeding"}:
        installation.program_file.write_text(code, encoding="utf-8")
        return
    if empty or not has_command("seed_county"):
        installation.county_file.write_text("empty\n", encoding="utf-8")
        return
    installation.county_file.write_text("seeding\n", encoding="utf-8")
    _say(f"Making the demo county with {residents} residents.")
    installation.run("seed_county", "--residents", str(residents), role="owner")
    if days:
        _say(f"The county lives its last {days} days.")
        installation.run("live_days", "--days", str(days), quiet=True)
    installation.county_file.write_text(f"seeded {residents}\n", encoding="utf-8")
    installation.program_file.write_text(code, encoding="utf-8")


def _children(installation: Installation, *, port: int, mllp_port: int) -> list[Child]:
    environment = {
        **installation.environment(),
        processes.MARK: str(installation.directory),
        "DOORSTEP_LIVE_URL": f":{port + 1}",
    }
    python = sys.executable
    # Its one warning is that the threads are more than the cores: they wait for the database.
    granian = [python, "-m", "granian", "--host", "127.0.0.1", "--no-ws", "--log-level", "error"]
    static = ["--static-path-route", "/static", "--static-path-mount", str(ROOT / "build/static")]
    web = [*granian, *processes.WEB, "--port", str(port)]
    found = [
        Child("web", [*web, *static, "--static-path-expires", "600", "doorstep.site.wsgi:application"], environment),
        Child("worker", [python, "-m", "django", *worker_arguments()], environment),
        Child("ingest", [python, "-m", "django", "ingest", "--port", str(mllp_port)], environment),
    ]
    if importlib.util.find_spec("doorstep.site.live") is not None:
        live = [*granian, "--interface", "asginl", "--port", str(port + 1), "--workers", "1"]
        found.append(Child("live", [*live, "doorstep.site.live:application"], environment))
    return found


def worker_arguments() -> list[str]:
    """The management command of the worker: four jobs at a time, and five seconds for them when it is stopped."""
    return ["work", "--concurrency", "4"]


def _wait_for_answer(children: list[Child], *, port: int) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        for child in children:
            died = child.look()
            if died:
                _say(died)
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            except urllib.error.HTTPError:
                _say(f"The pages answer, but /healthz does not say that all is well: http://127.0.0.1:{port}/readyz")
            return
        time.sleep(0.1)
    raise InstallationError("The pages do not answer; see the messages above.")


def _watch(installation: Installation, children: list[Child]) -> None:
    """Keep the children and the database alive until somebody asks us to stop."""
    short = False
    while True:
        time.sleep(0.5)
        for child in children:
            died = child.look()
            if died:
                _say(died)
        if not installation.uses_embedded_database:
            continue
        if not embedded.is_running(installation.directory):
            _say("The database ended; starting it again.")
            _start_again(installation)
        short = _say_when_short(installation, short)


def _start_again(installation: Installation) -> None:
    """Start the database; where it cannot, on a full disk for instance, say so and come back: it may become possible."""
    try:
        installation.start_database()
    except (EmbeddedError, OSError, psycopg.Error) as error:
        _say(f"{error}\nThe next try is in {AGAIN_SECONDS:.0f} seconds.".strip())
        time.sleep(AGAIN_SECONDS)


def _say_when_short(installation: Installation, short: bool) -> bool:
    """Say once that the disk fills up, and once that there is room again; returns whether it is short of room."""
    free = installation.free_bytes()
    if not short and free < FREE_BYTES:
        _say(
            f"Only {free // 2**20} MB are free on the disk of {installation.directory}. Make room now: "
            "once it is full nothing can be looked at or saved."
        )
        return True
    if short and free > 2 * FREE_BYTES:
        _say("The disk has room again.")
        return False
    return short


def _greet(installation: Installation, *, port: int, mllp_port: int) -> None:
    _say(f"\nDoorstep (家门口) is at http://127.0.0.1:{port}")
    _say(f"Hospital systems send HL7 v2 over MLLP to 127.0.0.1:{mllp_port}")
    if has_command("demo_accounts") and not installation.county_file.read_text(encoding="utf-8").startswith("empty"):
        _say(installation.run("demo_accounts", quiet=True).rstrip())
    _say("Ctrl-C stops it.")


def _check_ports(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise InstallationError(
                    f"Port {port} on 127.0.0.1 cannot be used ({error}): stop the program that has it, "
                    f"or choose another with --port (the two ports after it are used too)."
                ) from error


@contextlib.contextmanager
def _only_one(installation: Installation) -> Iterator[None]:
    with (installation.directory / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallationError(
                f"{installation.directory} is already being served: stop that bin/run, or choose another --data."
            ) from error
        yield


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/run", description="Serve the demo county on this machine.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the pages; live messages use the next")
    parser.add_argument(
        "--mllp-port", type=int, default=0, help="port for messages of hospital systems; two after the pages' port"
    )
    parser.add_argument("--data", default=str(ROOT / ".doorstep"), help="directory of database, secrets and files")
    parser.add_argument("--residents", type=int, default=DEFAULT_RESIDENTS, help="size of a new demo county")
    parser.add_argument(
        "--days", type=int, help="days that the people of a new county have worked through; 10 for a small one, else 0"
    )
    parser.add_argument("--empty", action="store_true", help="make no demo county in a new database")
    options = parser.parse_args(arguments)
    if not 1 <= options.port <= 65533:
        parser.error("--port is a number from 1 to 65533")
    if not 0 <= options.mllp_port <= 65535:
        parser.error("--mllp-port is a number from 1 to 65535")
    if options.days is None:
        options.days = DEFAULT_DAYS if options.residents <= LIVED_BELOW else 0
    if options.residents < 1:
        parser.error("--residents is a number from 1")
    return options


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
