"""The language switch and the gallery of components."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from doorstep.kernel.web.gallery import gallery_context
from doorstep.kernel.web.pages import render


@require_safe
def choose_language(request: HttpRequest) -> HttpResponse:
    """Go back to where the reader was; LanguageMiddleware has set the cookie from ?lang=."""
    address = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        address = "/"
    return HttpResponseRedirect(address)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component with its variants: to everybody in a demo or test, otherwise to staff."""
    user = getattr(request, "user", None)
    if not settings.DEMO and not getattr(user, "is_staff", False):
        raise Http404
    return render(request, "web/gallery.html", gallery_context())
