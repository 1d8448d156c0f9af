"""The limit of a client's requests: one for all processes of a machine."""

import subprocess
import sys
from pathlib import Path

from doorstep.kernel.fhir.limits import _SLOT, _SLOTS, _Buckets

_OTHER = (
    "import sys; from pathlib import Path; from doorstep.kernel.fhir.limits import _Buckets;"
    "print(_Buckets(Path(sys.argv[1])).take('his', rate=0.001, full=5) > 0)"
)


def _other(path: Path) -> str:
    """What another process is told that asks once."""
    return subprocess.run(
        [sys.executable, "-c", _OTHER, str(path)], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_processes_count_a_client_together(tmp_path: Path) -> None:
    path = tmp_path / "limits"
    buckets = _Buckets(path)
    assert [buckets.take("his", rate=0.001, full=5) > 0 for _ in range(4)] == [False] * 4
    assert _other(path) == "False"
    assert _other(path) == "True"
    assert buckets.take("his", rate=0.001, full=5) > 0
    # Another client has a bucket of its own.
    assert buckets.take("lis", rate=0.001, full=5) == 0


def test_a_bucket_fills_steadily_and_no_further(tmp_path: Path) -> None:
    buckets = _Buckets(tmp_path / "limits")
    assert [buckets.take("his", rate=1e9, full=1) for _ in range(50)] == [0.0] * 50


def test_more_clients_than_places_let_everybody_through(tmp_path: Path) -> None:
    buckets = _Buckets(tmp_path / "limits")
    assert not any(buckets.take(f"client-{one}", rate=0.001, full=2) for one in range(_SLOTS + 2_000))


def test_a_machine_that_was_started_anew_and_a_disk_without_room_let_clients_through(tmp_path: Path) -> None:
    path = tmp_path / "limits"
    assert _Buckets(path).take("his", rate=0.001, full=1) == 0
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), _SLOT.size):
        name, left, since = _SLOT.unpack_from(data, place)
        if name:
            _SLOT.pack_into(data, place, name, left, since + 1e6)
    path.write_bytes(data)
    assert _Buckets(path).take("his", rate=0.001, full=1) == 0
    assert _Buckets(Path("/dev/full/limits")).take("his", rate=0.001, full=1) == 0
