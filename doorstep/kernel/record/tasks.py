"""Jobs of the record."""

from typing import Any

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.kernel.record import bulk, importing


@app.task(name=bulk.JOB, queue="default", retry=RetryStrategy(max_attempts=8, exponential_wait=2))
def export(export_id: int, **ignored: Any) -> None:
    """Go on with an export where it stands."""
    bulk.work(export_id)


@app.task(name=importing.JOB, queue="default", retry=RetryStrategy(max_attempts=8, exponential_wait=2))
def take_in(import_id: int, base: str = "", **ignored: Any) -> None:
    """Go on with an import where it stands."""
    importing.work(import_id, base=base)
