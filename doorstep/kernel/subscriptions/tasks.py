"""The job that works a subscription."""

from typing import Any

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.kernel.jobs.queues import DELIVERIES
from doorstep.kernel.subscriptions.actions import WORK
from doorstep.kernel.subscriptions.delivering import work


@app.task(name=WORK, queue=DELIVERIES, retry=RetryStrategy(max_attempts=12, exponential_wait=2))
def work_subscription(subscription_id: int, **ignored: Any) -> None:
    """Number, greet, send: whatever the subscription has to do now."""
    work(subscription_id)
