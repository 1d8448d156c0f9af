"""The job that looks at a recording before the reader does."""

from dataclasses import asdict
from importlib import import_module
from typing import Any

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.care.diagnosis import actions, queries
from doorstep.care.diagnosis.actions.ordering import PREREAD_JOB
from doorstep.care.diagnosis.ecg.measurements import Urgency
from doorstep.care.diagnosis.ecg.reading import read_recording
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.files import queries as files

# Every process of the site imports this module, and the pre-read brings ten seconds and 250 MB of numerics with it: it is
# loaded by the first job of a worker and by nobody else.
PREREAD_MODULE = "doorstep.care.diagnosis.ecg.preread"

log = structlog.get_logger(__name__)


@app.task(name=PREREAD_JOB, queue="preread", retry=RetryStrategy(max_attempts=4, exponential_wait=3))
def preread_order(order_id: int, **ignored: Any) -> None:
    """Measure the recording of an order and give it its place in the queue; an order that moved on is left alone."""
    with acting(system_actor(Purpose.PREREAD)) as actor:
        order = queries.order_by_id(order_id)
        if order is None or order.recording_id is None or order.preread_at is not None:
            log.info("preread_not_needed", order=order_id)
            return
        found = import_module(PREREAD_MODULE).preread(read_recording(files.content_of(file_id=order.recording_id)))
        # The pre-read counts down to the most urgent, a list of work counts up to it.
        actions.note_preread(
            order=order, preread=asdict(found), urgency=int(Urgency.NORMAL) - int(found.urgency), actor=actor
        )
