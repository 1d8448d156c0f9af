"""The part of the registration page that shows likely doubles while one types."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.pages import render
from doorstep.people.identity.doubles import likely
from doorstep.people.identity.matching import Facts
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.views import page_of


@require_POST
def doubles(request: HttpRequest) -> HttpResponse:
    """Likely doubles of what stands in the form so far; asked by POST, because numbers do not belong into addresses."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actor.check(Permission.RESIDENT_REGISTER)
    given = {name: "".join(request.POST.get(name, "").split()) for name in _FIELDS}
    facts = Facts(
        name=given["name"],
        birth_date=_day(given["birth_date"]),
        gender=given["gender"],
        number=given["number"].upper(),
        phone=given["phone"],
        address=given["address"],
    )
    found = likely(facts=facts, actor=actor, mother_number=given["mother_number"].upper())
    context = {
        "found": found,
        "addresses": {one.resident.key: page_of(one.resident.key, actor) for one in found.doubles},
    }
    return render(request, "identity/doubles.html", context)


_FIELDS = ("name", "birth_date", "gender", "number", "phone", "address", "mother_number")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
