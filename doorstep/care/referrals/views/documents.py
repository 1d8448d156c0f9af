"""The printed forms, 双向转诊（转出）单 and 双向转诊（回转）单, and what travels with a referral."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorstep.care.referrals import packet_queries, papers, queries
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.presenters import lists
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.views.frame import actor_of
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.files import queries as files
from doorstep.kernel.record import binaries
from doorstep.kernel.web.pages import redirect, render


@require_GET
def referral_pdf(request: HttpRequest, key: UUID) -> HttpResponse:
    """The 转出单, which becomes a document with the acceptance, whose arrangements it carries; of a case going down the 回转单."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    if referral.direction == "down":
        return redirect(request, reverse("referrals:return-pdf", args=[key]))
    if referral.accepted_at is None:
        return _not_yet(request, key, _("对方受理后才能打印正式转诊单。"))
    return _pdf(papers.referral_form(referral, token=queries.qr_token(referral=referral)), f"{referral.number}.pdf")


@require_GET
def consent_paper(request: HttpRequest, key: UUID) -> HttpResponse:
    """The signed paper of consent as it was photographed or scanned."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    if referral.consent_paper is None:
        raise NotFound()
    found = files.get(referral.consent_paper)
    held = binaries.Held(media_type=found.media_type, content=bytes(found.content), at=found.stored_at)
    return binaries.on_page(held)


@require_GET
def return_pdf(request: HttpRequest, key: UUID) -> HttpResponse:
    """The 回转单 with the recovery plan."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    plan = queries.plan_of(referral=referral)
    if plan is None:
        return _not_yet(request, key, _("出院小结和康复计划完成后才能打印回转单。"))
    content = papers.return_form(referral, plan, token=queries.way_home_token(referral=referral))
    return _pdf(content, f"{referral.number}-return.pdf")


@require_GET
def packet(request: HttpRequest, key: UUID) -> HttpResponse:
    """What travels with the referral, each entry opened in its place: for the side that receives, and for the sender."""
    actor = actor_of(request)
    actor.check(Permission.REFERRAL_VIEW)
    referral = queries.get(key=key, actor=actor)
    items = presenters.packet_items(packet_queries.contents_of(referral=referral, actor=actor))
    sees = presenters.sees_record(referral, actor=actor)
    context = {
        "referral": referral,
        "place": lists.list_of(referral, actor=actor),
        "gender": presenters.gender_of(referral),
        "items": items,
        "chosen": [one for one in items if one["item"].chosen],
        "always": [one for one in items if not one["item"].chosen],
        "record_address": reverse("residents:detail", args=[referral.resident_key]) if sees else "",
    }
    return render(request, "referrals/packet.html", context)


def _not_yet(request: HttpRequest, key: UUID, sentence: str) -> HttpResponse:
    """Back to the case, which says what is still to be done before there is a paper."""
    messages.warning(request, sentence)
    return redirect(request, reverse("referrals:detail", args=[key]))


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
