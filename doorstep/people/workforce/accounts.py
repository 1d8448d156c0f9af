"""The accounts of those who work here: made, locked, unlocked, their password and second factor renewed."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from axes.utils import reset as forget_failures
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event
from doorstep.people.workforce import queries
from doorstep.people.workforce.events import AccountLocked, AccountRenewed, AccountUnlocked
from doorstep.people.workforce.models import Practitioner
from doorstep.people.workforce.permissions import Permission
from doorstep.people.workforce.role_names import role_of
from doorstep.people.workforce.rules import may_give

# Platform default: long enough for a new colleague's first day, short enough for a note that is lost.
TEMPORARY_FOR = timedelta(days=7)
# Without letters and digits that are read for each other.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP_LENGTH = 3, 5


@dataclass(frozen=True, slots=True)
class Account:
    """A new account; the password is shown once and kept as a hash."""

    user: User
    password: str


def make_account(*, username: str, display: str, actor: Actor) -> Account:
    """An account of staff with a temporary password; raises Refused at `username` when it is taken."""
    password = temporary_password()
    try:
        with transaction.atomic():
            user = User.objects.create_user(username.strip(), password=password, first_name=display[:150])
    except IntegrityError as error:
        sentence = _("这个用户名已被使用，请换一个。")
        raise Refused(sentence, fields={"username": sentence}) from error
    user.password_temporary_until = timezone.now() + TEMPORARY_FOR
    user.save(update_fields=["password_temporary_until"])
    audit.record(action="account.make", actor=actor, subject=f"user/{user.username}")
    return Account(user, password)


@transaction.atomic
def lock(*, practitioner: Practitioner, reason: str, actor: Actor) -> None:
    """Let somebody sign in no more, at once and with a reason; open sessions end with their next request."""
    user = _user_of(practitioner, actor)
    if not reason.strip():
        raise Refused(_("请填写原因。"), fields={"reason": _("请写明锁定原因，例如“离职”“账号异常”。")})
    if not user.is_active:
        raise Conflict(_("这个账号已经锁定，请刷新后查看。"))
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_apps(user)
    _tell(AccountLocked, practitioner, actor, reason=reason.strip()[:200])


@transaction.atomic
def unlock(*, practitioner: Practitioner, actor: Actor) -> None:
    """Let somebody sign in again; wrong passwords of before are forgotten."""
    user = _user_of(practitioner, actor)
    forget_failures(username=user.username)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
    _tell(AccountUnlocked, practitioner, actor)


@transaction.atomic
def renew(*, practitioner: Practitioner, factors: bool, actor: Actor) -> str:
    """Give somebody a new temporary password, and with `factors` take the second factors away as well; returns the password.

    Factors never go alone: the old password would be enough to set up another phone. Open sessions end, and apps read no more.
    """
    user = _user_of(practitioner, actor)
    password = temporary_password()
    user.set_password(password)
    user.password_temporary_until = timezone.now() + TEMPORARY_FOR
    user.save(update_fields=["password", "password_temporary_until"])
    forget_failures(username=user.username)
    end_apps(user)
    if factors:
        Authenticator.objects.filter(user=user).delete()
    _tell(AccountRenewed, practitioner, actor, factors="yes" if factors else "no")
    return password


def check_manages(practitioner: Practitioner, actor: Actor) -> None:
    """Raise unless the actor may act on this person as a whole: not oneself, and every post one that the actor could give.

    Whoever could renew the password of somebody with a stronger post elsewhere would hold that post.
    """
    actor.check(Permission.WORKFORCE_MANAGE)
    posts = queries.standing_posts(practitioner_id=practitioner.pk)
    if not any(actor.reaches(post.organization_id) for post in posts):
        raise NotFound()
    if practitioner.user_id is not None and practitioner.user_id == actor.user_id:
        raise Refused(_("不能管理自己的账号和资料，请由上级管理者办理。"))
    if actor.is_system:
        return
    giver = role_of(actor.role)
    for post in posts:
        own = post.organization_id == actor.organization_id
        if not actor.reaches(post.organization_id) or not may_give(giver, role_of(post.role), own_unit=own):
            raise NotPermitted(permission=Permission.WORKFORCE_MANAGE)


def manages(practitioner: Practitioner, actor: Actor) -> bool:
    """Whether the actor may act on this person as a whole."""
    try:
        check_manages(practitioner, actor)
    except Refused:
        return False
    return True


def end_apps(user: User) -> None:
    """Void what apps were given in somebody's name: whoever knew the old password may have let one in, which renews itself for ever."""
    Grant.objects.filter(user=user).delete()
    RefreshToken.objects.filter(user=user, revoked=None).update(revoked=timezone.now())
    AccessToken.objects.filter(user=user).delete()


def temporary_password() -> str:
    """Fifteen characters in three groups: read aloud without doubt, about 87 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _place in range(_GROUP_LENGTH)) for _group in range(_GROUPS))
    return "-".join(groups)


def _user_of(practitioner: Practitioner, actor: Actor) -> User:
    check_manages(practitioner, actor)
    user = User.objects.select_for_update().filter(pk=practitioner.user_id or 0, kind=User.Kind.STAFF).first()
    if user is None:
        raise Conflict(_("此人没有账号。"))
    return user


def _tell(event: type[Event], person: Practitioner, actor: Actor, **facts: str) -> None:
    subject = f"practitioner/{person.key}"
    events.publish(
        event(
            subject=subject,
            subject_id=person.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
    audit.record(action=f"workforce.{event.__name__}", actor=actor, subject=subject, details=facts)
