"""What the views of this app share: who asks, days out of an address, and refusals as a form's own errors."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused


def actor_with(request: HttpRequest, *permissions: str) -> Actor:
    """Who asks; one of the permissions is needed."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not any(actor.may(permission) for permission in permissions):
        actor.check(permissions[0])
    return actor


def try_act(form: forms.Form, run: Callable[[], object]) -> bool:
    """Run an act; a refusal becomes the form's own errors."""
    try:
        run()
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        for name, sentence in refused.fields.items():
            form.add_error(name if name in form.fields else None, str(sentence))
        if not refused.fields:
            form.add_error(None, str(refused.message))
        return False
    return True


def day_of(text: str) -> date:
    """A day out of an address; today for anything else, and for a year that no clinic has."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()
    return found if 2000 <= found.year < 2200 else timezone.localdate()


def midnight(day: date, plus: int = 0) -> datetime:
    """The start of a day in China, so many days later."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=plus), time()))
