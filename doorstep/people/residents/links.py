"""Which links of accounts with records stand on a day."""

from datetime import date

from django.db.models import DateField, Exists, F, Func, OuterRef, Q, QuerySet

from doorstep.kernel.access.models import FormerResident
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.rules import ADULT_AT

# The relation of an account with its owner's own record.
OWN = "self"
GROWN_UP = Func(
    F("resident__birth_date"),
    template=f"(%(expressions)s + interval '{ADULT_AT} years')::date",
    output_field=DateField(),
)


def outgrown(day: date) -> Q:
    """Links of a child that has come of age by this day; of an adult who was linked as an adult none."""
    return ~Q(relation=OWN) & Q(grown_up__lte=day) & Q(since__lt=F("grown_up"))


def living(day: date) -> QuerySet[ResidentAccount]:
    """The links that stand on a day: not ended, not those of a child who is none any more, and not those with a record that was merged.

    A link with a former record stays there only beside the one that the account has with the person.
    """
    merged = FormerResident.objects.filter(former_id=OuterRef("resident_id"))
    standing = ResidentAccount.objects.filter(~Exists(merged), ended_at__isnull=True)
    return standing.alias(grown_up=GROWN_UP).exclude(outgrown(day))
