"""Jobs whose worker died in the middle (kill -9, power cut): found by its missing heartbeat and put back."""

from django.db import connection, transaction


@transaction.atomic
def revive(*, silent_for: int) -> int:
    """Put back every running job whose worker has been silent for so many seconds or is gone; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL)
            FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
            WHERE job.status = 'doing'
              AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
            """,
            [silent_for],
        )
        return len(cursor.fetchall())
