"""The job that works a lane."""

from typing import Any

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.kernel.exchange.processing import work_lane
from doorstep.kernel.exchange.storing import WORK_LANE


@app.task(name=WORK_LANE, queue="exchange", retry=RetryStrategy(max_attempts=12, exponential_wait=2))
def work_messages(connection_id: int, lane: int, **ignored: Any) -> None:
    """Work off what waits in a lane of a connection."""
    work_lane(connection_id=connection_id, lane=lane)
