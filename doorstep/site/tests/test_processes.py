"""Children end with the supervisor, come back when they die, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.site import processes
from doorstep.site.processes import Child

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    found = Child("sleeper", [sys.executable, "-c", SLEEP], {**os.environ, processes.MARK: str(tmp_path)})
    yield found
    found.signal(signal.SIGKILL)
    if found.process is not None:
        found.process.wait()


def test_look_starts_a_dead_child_again_after_a_pause(child: Child) -> None:
    child.start()
    assert child.process is not None
    first = child.process.pid
    child.process.kill()
    child.process.wait()
    assert child.look() == "sleeper ended (code -9); starting it again in 1 s."
    assert child.look() is None
    assert child.process is None
    child.again_at = 0
    child.look()
    assert child.process is not None
    assert child.process.pid != first


def test_look_waits_longer_after_each_early_death(child: Child) -> None:
    pauses = []
    for _ in range(7):
        child.start()
        assert child.process is not None
        child.process.kill()
        child.process.wait()
        child.look()
        pauses.append(child.pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_stop_all_kills_a_child_that_does_not_listen(child: Child) -> None:
    child.command = [sys.executable, "-c", f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEP}"]
    child.start()
    assert child.process is not None
    time.sleep(0.3)
    processes.stop_all([child], seconds=0.3)
    assert child.process.poll() == -signal.SIGKILL


def test_clear_leftovers_finds_only_what_carries_the_mark(child: Child, tmp_path: Path) -> None:
    child.start()
    assert child.process is not None
    time.sleep(0.2)
    assert processes.clear_leftovers(tmp_path / "other") == 0
    assert processes.clear_leftovers(tmp_path) == 1
    assert child.process.wait(timeout=5) == -signal.SIGKILL


def test_a_child_ends_when_its_supervisor_is_killed() -> None:
    program = (
        "import os, sys, time\nfrom doorstep.site.processes import Child\n"
        f"child = Child('sleeper', [sys.executable, '-c', {SLEEP!r}], dict(os.environ))\n"
        "child.start()\nprint(child.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        orphan = int(supervisor.stdout.readline())
        assert _alive(orphan)
        supervisor.kill()
        supervisor.wait()
        deadline = time.monotonic() + 5
        while _alive(orphan) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(orphan)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
