"""What the figures are held against, measured in the same run: a SELECT by key, pgbench -S, a bare Django view."""

import json
import random
import re
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from doorstep.demo.bench.figures import Figure, figure
from doorstep.demo.bench.pages import PAGE_CLIENTS, ask, get
from doorstep.kernel.database import embedded

_ACCOUNTS = 100_000
_LATENCY = re.compile(r"latency average = ([\d.]+) ms")
_RATE = re.compile(r"tps = ([\d.]+)")


def measure(*, directory: Path, bare_port: int, residents: int, seconds: float) -> dict[str, Figure]:
    """The three yardsticks by name."""
    address = owner(directory)
    return {
        one.name: one
        for one in (
            _select(address, seconds),
            _pgbench(address, seconds),
            _bare(bare_port, residents=residents, seconds=seconds),
        )
    }


def owner(directory: Path) -> str:
    """Connection string of the tables' owner, for whom no row-level security is asked."""
    secrets = json.loads((directory / "secrets.json").read_text(encoding="utf-8"))
    return str(secrets["database_url_owner"])


def _select(address: str, seconds: float) -> Figure:
    """One client, one prepared SELECT by key over the table of pgbench, in this process."""
    times: list[float] = []
    with psycopg.connect(address, autocommit=True, prepare_threshold=0) as connection:
        _fill(connection)
        until = time.monotonic() + min(seconds, 5.0)
        while time.monotonic() < until:
            number = random.randint(1, _ACCOUNTS)
            started = time.perf_counter()
            connection.execute("SELECT abalance FROM pgbench_accounts WHERE aid = %s", [number]).fetchone()
            times.append((time.perf_counter() - started) * 1000)
    return figure("select-1", times[100:], clients=1, seconds=sum(times[100:]) / 1000)


def _fill(connection: psycopg.Connection) -> None:
    """The table of `pgbench -i -s 1`; made here, because pgbench would make it as another user."""
    connection.execute("CREATE TABLE IF NOT EXISTS pgbench_accounts (aid int, bid int, abalance int, filler char(84))")
    if connection.execute("SELECT 1 FROM pgbench_accounts LIMIT 1").fetchone() is None:
        rows = sql.SQL("INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, {}) AS n")
        connection.execute(rows.format(sql.Literal(_ACCOUNTS)))
        connection.execute("ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)")
        connection.execute("VACUUM ANALYZE pgbench_accounts")
    # pgbench reads its scale from the number of branches.
    connection.execute(
        "CREATE TABLE IF NOT EXISTS pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88))"
    )
    connection.execute("INSERT INTO pgbench_branches VALUES (1, 0, '') ON CONFLICT DO NOTHING")


def _pgbench(address: str, seconds: float) -> Figure:
    """`pgbench -S -M prepared` with four clients, of the server's own package."""
    parts = urlsplit(address)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&"))
    arguments = ["-S", "-n", "-M", "prepared", "-c", str(PAGE_CLIENTS), "-j", "2"]
    arguments += ["-T", str(max(1, round(min(seconds, 10.0)))), "-h", unquote(query["host"]), "-p", query["port"]]
    arguments += ["-U", unquote(parts.username or ""), parts.path.lstrip("/")]
    done = embedded.run_program("pgbench", arguments, environment={"PGPASSWORD": unquote(parts.password or "")})
    latency, rate = _LATENCY.search(done.stdout), _RATE.search(done.stdout)
    if done.returncode or latency is None or rate is None:
        return figure("select-4", [], clients=PAGE_CLIENTS, seconds=seconds, faults=[done.stderr.strip()[-300:]])
    one = figure("select-4", _alone(float(latency.group(1))), clients=PAGE_CLIENTS, seconds=seconds)
    one.per_second = float(rate.group(1))
    one.remark = "pgbench tells only the mean"
    return one


def _alone(value: float) -> Iterable[float]:
    yield value


def _bare(port: int, *, residents: int, seconds: float) -> Figure:
    """Granian with two workers and Django without middleware: what a page with one query costs at least."""
    numbers = [random.randint(1, residents) for _number in range(200)]
    requests = [get(f"/{number}", headers={}) for number in numbers]
    tally = ask([requests] * PAGE_CLIENTS, port=port, seconds=min(seconds, 10.0))
    times = [one for step in tally["times"].values() for one in step]
    return figure("bare-view", times, clients=PAGE_CLIENTS, seconds=tally["seconds"], queries=1)
