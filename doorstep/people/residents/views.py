"""Pages of the resident index: find, prove presence, register, change; the record is in chart_views."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.pages import page_or_part, redirect, render, wants_part
from doorstep.kernel.web.refusing import show_refusal
from doorstep.kernel.workflow.once import once
from doorstep.people.residents import actions, emergency, finding, queries, receiving
from doorstep.people.residents.documents import is_whole_document
from doorstep.people.residents.forms import ChangeForm, GlassForm, PresenceForm, RegisterForm
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import is_whole_number, is_whole_record


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def page_of(key: UUID | str, actor: Actor) -> str:
    """Where somebody who found or registered a resident goes on: the record; for who reads none the facts that they keep, or what they book."""
    if actor.may(Access.RECORD_VIEW):
        return reverse("residents:detail", args=[key])
    # A clinic's desk keeps no facts of residents: it finds people to book for them.
    booking = url_if_known("scheduling:book-for", key) if actor.may("SLOT_BOOK") else None
    if booking and not actor.may(Permission.RESIDENT_REGISTER):
        return booking
    return reverse("residents:change", args=[key])


def acts_of(actor: Actor) -> frozenset[str]:
    """Which next acts of other apps a page about a resident offers to the actor; a button that answers 403 helps nobody."""
    return frozenset(
        act for act in ("VISIT_OPEN", "CONTRACT_SIGN", "RESIDENT_REGISTER", "PHONE_DESK") if actor.may(act)
    )


@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Find a resident of the own panel while typing; a scanned number that is ours opens the record at once.

    Pages ask by POST: a number of a person must not stand in an address, which logs and histories keep.
    """
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_FIND)
    text = (request.POST.get("q") or request.GET.get("q", "")).strip()
    found = finding.search_panel(text, actor)
    joined = "".join(text.split())
    whole = is_whole_number(joined) or is_whole_document(joined) or is_whole_record(joined)
    if whole and len(found) == 1 and not wants_part(request):
        return redirect(request, page_of(found[0].key, actor))
    context = {"text": text, "found": found, "whole": whole, "may_register": actor.may(Permission.RESIDENT_REGISTER)}
    context["addresses"] = {one.key: page_of(one.key, actor) for one in found}
    return page_or_part(request, "residents/find.html", "found", context)


@require_http_methods(["GET", "POST"])
@once
def presence(request: HttpRequest) -> HttpResponse:
    """Prove that a resident stands here; every wrong pair of facts gets the same page."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_FIND)
    if request.POST.get("begin"):
        # The way from the registration brings what was typed there; it is no try yet.
        form = PresenceForm(initial={name: request.POST.get(name, "").strip() for name in ("number", "name")})
        return render(request, "residents/presence.html", {"form": form})
    form = PresenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        by_code = facts["second"] == "code"
        answer = actions.prove_presence(
            number=facts["number"],
            name="" if by_code else facts["name"],
            phone_last_four="" if by_code else facts["last_four"],
            code=facts["code"] if by_code else "",
            actor=actor,
        )
        if answer.presence_id:
            return redirect(request, reverse("residents:present", args=[answer.presence_id]))
        if answer.closed:
            form.add_error(
                None,
                _(
                    "核对失败次数过多，已暂停核验。请 15 分钟后再试（同一号码 1 小时后），或请居民出示到场码后由同事核验。"
                ),
            )
        else:
            form.add_error(
                None,
                _(
                    "身份证号与第二项信息不相符，或没有这位居民的档案。请核对证件和信息后再试；首次来访的居民请先登记建档。"
                ),
            )
    status = 422 if form.errors else 200
    return render(request, "residents/presence.html", {"form": form}, status)


@require_http_methods(["GET", "POST"])
@once
def present(request: HttpRequest, presence_id: int) -> HttpResponse:
    """Presence is proved: what can be done with it in the next half hour; POST takes the person in, and goes on to a contract."""
    actor = actor_of(request)
    proof = queries.get_presence(presence_id=presence_id, actor=actor)
    if request.method == "POST":
        resident = receiving.take_in(proof=proof, actor=actor)
        if request.POST.get("then") == "contract" and (address := url_if_known("contracts:new-for", resident.key)):
            return redirect(request, address)
        messages.success(request, _("已登记到本单位。"))
        return redirect(request, page_of(resident.key, actor))
    return render(request, "residents/present.html", {"proof": proof, "acts": acts_of(actor)})


@require_http_methods(["GET", "POST"])
@once
def register(request: HttpRequest) -> HttpResponse:
    """Register a person who stands at the desk."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    form = RegisterForm(request.POST or None, initial={"number": request.GET.get("number", "")})
    if request.method == "POST" and form.is_valid():
        facts = {name: value for name, value in form.cleaned_data.items() if name != "mother_checked"}
        facts["groups"] = tuple(facts["groups"])
        facts["birth_order"] = facts["birth_order"] or 1
        try:
            made = actions.register(new=actions.NewResident(**facts), actor=actor)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            if made is not None:
                messages.success(request, _("已登记建档。"))
                return redirect(request, page_of(made.key, actor))
            by_mother = facts["mother_number"] and not facts["number"]
            form.add_error(
                "birth_order" if by_mother else None,
                _(
                    "这位母亲当天出生的这一胎不能重复建档。是双胞胎的另一个孩子，请更正胎次序号；是同一个孩子，请改用“核验到场”。"
                )
                if by_mother
                else _("这个号码不能重复建档。居民在场时，请改用“核验到场”接诊，不需要重新登记。"),
            )
    return render(request, "residents/register.html", {"form": form}, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change phone, address and groups."""
    actor = actor_of(request)
    actor.check(Permission.RESIDENT_REGISTER)
    resident = queries.get_by_key(key, actor)
    banner = queries.banner(resident)
    initial = {
        "phone": resident.phone,
        "address": resident.address,
        "groups": [code for code, _label in banner.groups],
    }
    form = ChangeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(resident=resident, actor=actor, **form.cleaned_data)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, _("已保存。"))
            return redirect(request, page_of(resident.key, actor))
    context = {"form": form, "resident": resident, "banner": banner, "sees_record": actor.may(Access.RECORD_VIEW)}
    return render(request, "residents/change.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@once
def break_glass(request: HttpRequest) -> HttpResponse:
    """Open a record for 24 hours in an emergency: the resident is told, an auditor reviews."""
    actor = actor_of(request)
    actor.check(Access.GLASS_BREAK)
    form = GlassForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            resident = emergency.break_glass(actor=actor, **form.cleaned_data)
        except Refused as refused:
            show_refusal(form, refused)
        else:
            messages.warning(request, _("已打开 24 小时紧急查阅。居民会收到告知，审计员会复核。"))
            return redirect(request, reverse("residents:detail", args=[resident.key]))
    return render(request, "residents/break_glass.html", {"form": form}, 422 if form.errors else 200)
