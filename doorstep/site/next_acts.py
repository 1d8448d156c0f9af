"""What one app's page offers of another's: the way from a report to a referral."""

from urllib.parse import urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from doorstep.care.diagnosis.next_acts import NextAct as AfterReport
from doorstep.care.diagnosis.next_acts import ReportFacts
from doorstep.care.referrals import queries as referrals
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.web.formats import moment


def green_channel(facts: ReportFacts) -> str | None:
    """The green channel for a critical report."""
    return _referral(facts) if facts.critical else None


def ordinary_referral(facts: ReportFacts) -> str | None:
    """An ordinary referral for every other report."""
    return None if facts.critical else _referral(facts)


def _referral(facts: ReportFacts) -> str | None:
    address = url_if_known("referrals:new", facts.resident_key)
    origin = {"origin_subject": facts.origin, "origin_reference": f"DiagnosticReport/{facts.origin.partition('/')[2]}"}
    return f"{address}?{urlencode(origin)}" if address else None


def sent_after(origin: str, actor: Actor) -> str:
    """The referral that was sent because of a report, for the register of critical values."""
    found = referrals.by_origin(origin=origin, actor=actor)
    if found is None or found.submitted_at is None or found.target is None:
        return ""
    facts = {
        "moment": moment(found.submitted_at),
        "target": found.target.name,
        "number": found.number,
    }
    return gettext("%(moment)s 已上转%(target)s，转诊单 %(number)s。") % facts


AFTER_ECG = [
    AfterReport(
        label=_("发起绿色通道转诊"),
        icon="ambulance",
        permission=Referrals.REFERRAL_SUBMIT,
        address=green_channel,
        urgent=True,
        begins=True,
    ),
    AfterReport(
        label=_("发起转诊"),
        icon="transfer-out",
        permission=Referrals.REFERRAL_SUBMIT,
        address=ordinary_referral,
        begins=True,
    ),
]
