"""What a stranger with a printed report may see: whether it is genuine."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.care.diagnosis import queries
from doorstep.kernel.web.pages import render


@require_GET
def verify(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say whether the report behind a printed code is genuine and the newest; never whose it is."""
    found = queries.verification(key)
    return render(request, "diagnosis/verify.html", {"found": found}, 200 if found else 404)
