"""The worker's slots: every queue is worked, and what waits for others has slots of its own."""

from procrastinate.contrib.django import app

from doorstep.kernel.jobs import queues
from doorstep.kernel.subscriptions.actions import WORK


def test_every_queue_is_worked_and_deliveries_hold_up_nobody() -> None:
    used = {task.queue for task in app.tasks.values() if not task.name.startswith("builtin:")}
    assert used == {*queues.SHARED, queues.DELIVERIES}
    assert queues.DELIVERIES not in queues.SHARED
    assert app.tasks[WORK].queue == queues.DELIVERIES
