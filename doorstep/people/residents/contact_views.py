"""The page of whom to call for a resident."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import queries as record
from doorstep.kernel.web.pages import redirect, render
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import contacts, queries
from doorstep.people.residents.forms import ContactForm
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.views import actor_of

_FIELDS = ("contact_name", "contact_relation", "contact_phone", "contact_is_guardian")


@require_http_methods(["GET", "POST"])
@once
def contact(request: HttpRequest, key: UUID) -> HttpResponse:
    """Whom to call for a resident; POST writes it down."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor, household=True)
    form = ContactForm(request.POST or None, initial={name: getattr(resident, name) for name in _FIELDS})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        wanted = contacts.Contact(
            name=" ".join(said["contact_name"].split()),
            relation=said["contact_relation"],
            phone=said["contact_phone"].replace(" ", "").replace("-", ""),
            is_guardian=said["contact_is_guardian"],
        )
        try:
            contacts.change_contact(resident=resident, contact=wanted, actor=actor)
        except Refused as refused:
            if refused.status != 422:
                raise
            show_refusal(form, refused)
        else:
            messages.success(request, _("已保存。"))
            return redirect(request, reverse("residents:detail", args=[resident.key]))
    if request.method == "GET":
        record.note_look(
            resident_id=resident.pk, actor=actor, subject=f"resident/{resident.key}", action="resident.contact-view"
        )
    family = [one.name for one in queries.household_of(resident)]
    context = {"form": form, "resident": resident, "banner": queries.banner(resident), "family": family}
    return render(request, "residents/contact.html", context, 422 if form.errors else 200)
