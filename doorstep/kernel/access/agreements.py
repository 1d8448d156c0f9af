"""Whose record a resident let an app see, from the page of consent to the last token; and the end of it."""

import uuid

from django.db.models import QuerySet
from django.utils import timezone
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from doorstep.kernel.access.models import AppAgreement
from doorstep.kernel.access.queries import formers_of


def agree(*, user_id: int, client: str, resident_id: int, code_id: int) -> AppAgreement:
    """Write down the person whom the account's owner chose; the authorization code carries the choice on."""
    return AppAgreement.objects.create(user_id=user_id, client=client, resident_id=resident_id, code_id=code_id)


def behind(
    *, code_id: int | None = None, access_id: int | None = None, family: uuid.UUID | None = None
) -> AppAgreement | None:
    """The agreement that a code, an access token or a family of refresh tokens came of; None where nobody chose."""
    if code_id is not None:
        return AppAgreement.objects.filter(code_id=code_id).first()
    if access_id is not None:
        return AppAgreement.objects.filter(access_id=access_id).first()
    return AppAgreement.objects.filter(family=family).first() if family is not None else None


def carry(agreement: AppAgreement, *, access_id: int, family: uuid.UUID | None) -> None:
    """Let the choice go on with the newest tokens."""
    AppAgreement.objects.filter(pk=agreement.pk).update(access_id=access_id, family=family, code_id=None)


def of(*, user_id: int, resident_id: int) -> list[AppAgreement]:
    """What an account agreed to for one person, also when it named a record that was merged into this one."""
    return list(_of_person(user_id, resident_id))


def end(*, user_id: int, resident_id: int, client: str = "") -> None:
    """Void at once what apps (or the one named) were given by an account for one person: codes, tokens, renewal."""
    agreed = _of_person(user_id, resident_id)
    if client:
        agreed = agreed.filter(client=client)
    rows = list(agreed.values_list("code_id", "access_id", "family"))
    Grant.objects.filter(pk__in=[code for code, _access, _family in rows if code]).delete()
    families = [family for _code, _access, family in rows if family]
    RefreshToken.objects.filter(token_family__in=families, revoked=None).update(revoked=timezone.now())
    AccessToken.objects.filter(pk__in=[access for _code, access, _family in rows if access]).delete()
    agreed.delete()


def _of_person(user_id: int, resident_id: int) -> QuerySet[AppAgreement]:
    # What was agreed to keeps the record that it named; its tokens follow a merge, so the end of it must as well.
    records = [resident_id, *formers_of(resident_id=resident_id)]
    return AppAgreement.objects.filter(user_id=user_id, resident_id__in=records)
