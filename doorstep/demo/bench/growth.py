"""bin/bench growth: the same searches in a small house and in a large one, and how many times longer they last there."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from doorstep.demo.bench.house import House, HouseError
from doorstep.kernel.database.embedded import EmbeddedError

MOST = 1.5
_MEASURE = "fhir-mixed"
_YEARS = 1


def main(arguments: list[str]) -> int:
    """Measure the six families of searches in both houses, print both p50 with their ratio; 1 when it is above 1.5."""
    options = _options(arguments)
    started = time.monotonic()
    try:
        small, large = (_figures(options, size) for size in (options.small, options.large))
    except (HouseError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"\n{'p50 ms':24} {options.small:>10,} {options.large:>10,} {'ratio':>8}\n")
    for name, one in small.items():
        other = large.get(name, one)
        sys.stdout.write(f"{name:24} {one['p50']:>10.2f} {other['p50']:>10.2f} {other['p50'] / one['p50']:>8.2f}\n")
    ratio = large[_MEASURE]["p50"] / small[_MEASURE]["p50"]
    verdict = "ok" if ratio <= MOST else "MISS"
    sys.stdout.write(
        f"{_MEASURE} ≤ {MOST:g}: {verdict} ({ratio:.2f}). Whole run: {time.monotonic() - started:,.0f} s.\n"
    )
    return 0 if ratio <= MOST else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench growth", description="Measure searches in two sizes of house.")
    parser.add_argument("--small", type=int, default=1_000, help="residents of the small house")
    parser.add_argument("--large", type=int, default=64_000, help="residents of the large house")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--data", required=True, help="directory for both houses, which are kept and used again")
    options = parser.parse_args(arguments)
    if not 1 < options.small < options.large or options.seconds <= 0:
        parser.error("--small is less than --large, and --seconds more than 0")
    return options


def _figures(options: argparse.Namespace, size: int) -> dict[str, dict[str, Any]]:
    """The figures of the searches in a house of so many residents, by name."""
    house = House(Path(options.data).resolve() / str(size), port=options.port)
    try:
        house.open()
        house.fill(residents=size, years=_YEARS)
        house.serve()
        # Its exit code tells of the bars of rates, which are not asked here.
        house.measure(
            "--residents", str(size), "--years", str(_YEARS), "--seconds", str(options.seconds), "--tries", "1", _MEASURE,
        )  # fmt: skip
    finally:
        house.close()
    lines = json.loads((house.directory / "bench.json").read_text(encoding="utf-8"))["figures"]
    found = {one["name"]: one for one in lines if one["name"].startswith(_MEASURE) and one["count"]}
    if _MEASURE not in found:
        raise HouseError(f"Nothing was measured in the house of {size:,} residents.")
    return found
