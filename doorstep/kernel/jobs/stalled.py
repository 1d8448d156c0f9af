"""Jobs whose worker died in the middle (kill -9, power cut): found by its missing heartbeat and put back."""

from django.db import IntegrityError, connection, transaction

_SILENT = """
SELECT job.id FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
ORDER BY job.id
"""


@transaction.atomic
def revive(*, silent_for: int) -> int:
    """Put back every running job whose worker has been silent for so many seconds or is gone; returns how many.

    Where another job waits already to do the same (its queueing lock), the dead one makes way: it holds the lock that the other
    waits for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SILENT, [silent_for])
        found = [job_id for (job_id,) in cursor.fetchall()]
        for job_id in found:
            try:
                with transaction.atomic():
                    cursor.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job_id])
            except IntegrityError:
                cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', true)", [job_id])
    return len(found)


_ALIVE = """
SELECT EXISTS (SELECT FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.task_name = %s AND job.args ->> %s = %s AND (job.status = 'todo' AND job.attempts = 0
  OR job.status = 'doing' AND worker.last_heartbeat >= now() - make_interval(secs => %s)))
"""


def is_worked(*, task: str, argument: str, value: str, silent_for: int) -> bool:
    """Whether a job of this task with this argument has a living worker, or waits for its first turn: what a page says of progress."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, [task, argument, value, silent_for])
        return bool(cursor.fetchone()[0])
