"""bin/bench: from nothing to a table of figures, unattended: database, county, server, measures, and everything stopped."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from doorstep.demo.bench import growth, match, referrals
from doorstep.demo.bench.house import House, HouseError
from doorstep.demo.bench.names import MEASURES, YARDSTICKS
from doorstep.kernel.database.embedded import EmbeddedError

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str]) -> int:
    """Measure, print, stop everything; 1 when a figure misses its bar or something could not be measured."""
    own = _OWN.get(arguments[0]) if arguments else None
    if own is not None:
        return own(arguments[1:])
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)
    house = House(Path(options.data).resolve(), port=options.port)
    started = time.monotonic()
    try:
        house.open()
        house.fill(residents=options.residents, years=options.years)
        house.serve()
        code = house.measure(
            "--residents", str(options.residents), "--years", str(options.years),
            "--seconds", str(options.seconds), "--tries", str(options.tries), *options.names,
        )  # fmt: skip
    except (HouseError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        house.close()
    sys.stdout.write(f"Whole run: {time.monotonic() - started:,.0f} s. Figures: {house.directory / 'bench.json'}\n")
    return code


def _examples(arguments: list[str]) -> int:
    """The official examples of R4 and their mutants; an empty database is enough."""
    house = House(ROOT / ".doorstep-bench", port=0)
    try:
        house.open()
        house.run("measure_examples", *arguments)
    except (HouseError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        house.close()
    return 0


def _validation(arguments: list[str]) -> int:
    """Our validation beside pydantic's, in a process of its own: no house is needed."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "doorstep.site.settings.checking"}
    words = [sys.executable, "-m", "django", "measure_validation", *arguments]
    return subprocess.run(words, env=environment, check=False).returncode


# Benches with houses of their own, or with none.
_OWN: dict[str, Callable[[list[str]], int]] = {
    "match": match.main,
    "referrals": referrals.main,
    "growth": growth.main,
    "examples": _examples,
    "validation": _validation,
}


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure the product beside yardsticks.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"only these: {', '.join(MEASURES)}; or match, referrals, growth, examples, validation",
    )
    parser.add_argument("--residents", type=int, default=200_000)
    parser.add_argument("--years", type=int, default=2, help="years of history, 1 to 4")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each measure runs")
    parser.add_argument("--tries", type=int, default=10_000, help="tries of the contested booking")
    parser.add_argument("--data", default=str(ROOT / ".doorstep-bench"), help="directory of the bench's own database")
    parser.add_argument("--port", type=int, default=8790, help="port of the pages; the bare yardstick uses the next")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if not any(known.startswith(name) for known in MEASURES)]
    if unknown:
        parser.error(f"there is no measure {', '.join(unknown)}; there are {', '.join((*YARDSTICKS, *MEASURES))}")
    if options.residents < 1 or options.years < 1 or options.seconds <= 0 or options.tries < 1:
        parser.error("--residents, --years, --seconds and --tries are more than 0")
    return options


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
