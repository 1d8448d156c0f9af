"""/healthz: the process lives; /readyz: it can work. For supervisors and load balancers, without an actor."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from psycopg_pool import PoolTimeout

PLAIN = "text/plain; charset=utf-8"


def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as a page can be answered at all."""
    return HttpResponse("ok\n", content_type=PLAIN)


def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and has been migrated, else 503 with the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations WHERE app = 'access'")
            migrated = cursor.fetchone()[0] > 0
    except (DatabaseError, PoolTimeout):
        return HttpResponse("The database does not answer.\n", content_type=PLAIN, status=503)
    if not migrated:
        return HttpResponse("The database has not been migrated.\n", content_type=PLAIN, status=503)
    return HttpResponse("ready\n", content_type=PLAIN)
