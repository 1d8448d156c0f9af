"""bin/bench referrals: boards, lists and acts of referrals on a house that is full of open ones."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from doorstep.demo.bench.house import House, HouseError
from doorstep.kernel.database.embedded import EmbeddedError

# Residents with a history: enough for the records that a submit reads.
_HISTORY = 200


def main(arguments: list[str]) -> int:
    """Fill a house of its own, serve it, measure; 1 when a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="bin/bench referrals", description="Measure referrals on a full house.")
    parser.add_argument("names", nargs="*", help="only measures whose name begins so, for example flow")
    parser.add_argument("--open", type=int, default=100_000, dest="count", help="open referrals")
    parser.add_argument("--drafts", type=int, default=4_000, help="drafts that wait to be submitted")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--port", type=int, default=8890)
    parser.add_argument("--data", default=str(Path(tempfile.gettempdir()) / "doorstep-bench-referrals"))
    options = parser.parse_args(arguments)
    house = House(Path(options.data).resolve(), port=options.port)
    started = time.monotonic()
    try:
        house.open()
        _fill(house, count=options.count, drafts=options.drafts)
        house.serve()
        return house.measure_by(
            "measure_referrals", "--port", str(options.port), "--seconds", str(options.seconds), *options.names
        )
    except (HouseError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        house.close()
        sys.stdout.write(f"Whole run: {time.monotonic() - started:,.0f} s.\n")


def _fill(house: House, *, count: int, drafts: int) -> None:
    """County and referrals, unless a house of this size is there."""
    wanted = f"{count} {drafts}"
    held = house.mark.read_text(encoding="utf-8").strip() if house.mark.exists() else ""
    if held == wanted:
        return
    if held and held != "seeding":
        raise HouseError(f"{house.directory} holds another house: remove it, or choose another --data.")
    house.mark.write_text("seeding", encoding="utf-8")
    # Some residents have died or moved: a tenth more than referrals.
    residents = str((count + drafts) * 11 // 10)
    house.run("seed_county", "--residents", residents, "--history", str(_HISTORY), role="owner")
    house.run("load_referrals", "--open", str(count), "--drafts", str(drafts), role="owner")
    house.mark.write_text(wanted, encoding="utf-8")
