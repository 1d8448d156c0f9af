"""The left navigation of staff and the bottom tabs of residents: a line per page, shown to those who may open it."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from doorstep.care.contracts.permissions import Permission as Contracts
from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.coordination.beds.permissions import Permission as Beds
from doorstep.coordination.notices import queries as notices
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits.permissions import Permission as Visits
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.exchange.permissions import Permission as Exchange
from doorstep.kernel.web.navigation import Entry
from doorstep.kernel.web.shell import PostChoice, Sources
from doorstep.kernel.worklist.permissions import Permission as Worklist
from doorstep.people.organizations.permissions import Permission as Organizations
from doorstep.people.residents.permissions import Permission as Residents
from doorstep.people.workforce.permissions import Permission as Workforce
from doorstep.site.machines import ALARMED
from doorstep.steering.indicators.permissions import Permission as Indicators

_DAILY, _CARE, _HOUSE = _("日常"), _("业务"), _("管理")

ENTRIES: tuple[Entry, ...] = (
    Entry(label=_("我的待办"), icon="checks", url_name="home", permission=Worklist.TASK_VIEW, group=_DAILY),
    Entry(
        label=_("查找居民"),
        icon="search",
        url_name="residents:find",
        permission=Residents.RESIDENT_FIND,
        group=_DAILY,
        also=("/allergies/",),
    ),
    Entry(label=_("今日接诊"), icon="stethoscope", url_name="visits:today", permission=Visits.VISIT_OPEN, group=_DAILY),
    Entry(
        label=_("心电判读"), icon="heartbeat", url_name="diagnosis:queue", permission=Diagnosis.ECG_READ, group=_CARE
    ),
    Entry(
        label=_("心电申请"), icon="heartbeat", url_name="diagnosis:orders", permission=Diagnosis.ECG_ORDER, group=_CARE
    ),
    Entry(
        label=_("危急值"),
        icon="alert-triangle",
        url_name="diagnosis:criticals",
        permission=Diagnosis.CRITICAL_ACKNOWLEDGE,
        group=_CARE,
    ),
    Entry(
        label=_("结局反馈"), icon="message", url_name="diagnosis:outcomes", permission=Diagnosis.ECG_SIGN, group=_CARE
    ),
    Entry(
        label=_("转出"),
        icon="arrows-exchange",
        url_name="referrals:list",
        permission=Referrals.REFERRAL_SUBMIT,
        group=_CARE,
    ),
    Entry(
        label=_("转诊受理"),
        icon="clipboard-check",
        url_name="referrals:office",
        permission=Referrals.REFERRAL_ACCEPT,
        group=_CARE,
    ),
    Entry(
        label=_("接诊与住院"),
        icon="bed",
        url_name="referrals:treating",
        permission=Referrals.REFERRAL_TREAT,
        group=_CARE,
    ),
    Entry(
        label=_("先诊疗后付费"),
        icon="receipt",
        url_name="referrals:debts",
        permission=Referrals.DEBT_VIEW,
        group=_CARE,
    ),
    Entry(
        label=_("转诊结局"),
        icon="message",
        url_name="referrals:outcomes",
        permission=Referrals.REFERRAL_VIEW,
        group=_CARE,
    ),
    Entry(label=_("床位看板"), icon="layout-dashboard", url_name="beds:board", permission=Beds.BED_VIEW, group=_CARE),
    Entry(
        label=_("下转建议"),
        icon="home-heart",
        url_name="referrals:proposals",
        permission=Referrals.CASE_ANSWER,
        group=_CARE,
        also=("/referrals/service/",),
    ),
    Entry(
        label=_("转诊看板"),
        icon="git-branch",
        url_name="referrals:flow",
        permission=Referrals.FLOW_VIEW,
        group=_CARE,
    ),
    Entry(
        label=_("下转承接"),
        icon="arrow-down",
        url_name="referrals:returning",
        permission=Referrals.REFERRAL_RECEIVE_BACK,
        group=_CARE,
    ),
    Entry(
        label=_("出院随访"),
        icon="clipboard-heart",
        url_name="referrals:follow-ups",
        permission=Referrals.FOLLOW_UP_DO,
        group=_CARE,
    ),
    Entry(
        label=_("签约管理"),
        icon="heart-handshake",
        url_name="contracts:panel",
        permission=Contracts.CONTRACT_VIEW,
        group=_CARE,
    ),
    Entry(
        label=_("号源"),
        icon="calendar",
        url_name="scheduling:board",
        permission=Scheduling.SCHEDULE_MANAGE,
        group=_CARE,
    ),
    Entry(
        label=_("今日门诊"),
        icon="volume",
        url_name="scheduling:day",
        permission=Scheduling.QUEUE_CALL,
        group=_CARE,
    ),
    Entry(
        label=_("电话预约"),
        icon="headset",
        url_name="scheduling:phone",
        permission=Scheduling.PHONE_DESK,
        group=_CARE,
    ),
    Entry(
        label=_("候补名单"),
        icon="hourglass",
        url_name="scheduling:waiting",
        permission=Scheduling.SLOT_BOOK,
        group=_CARE,
    ),
    Entry(
        label=_("停诊改约"),
        icon="calendar-event",
        url_name="scheduling:rebookings",
        permission=Scheduling.SLOT_BOOK,
        group=_CARE,
    ),
    Entry(
        label=_("号源分配"),
        icon="adjustments",
        url_name="scheduling:quotas",
        permission=Scheduling.QUOTA_MANAGE,
        group=_CARE,
        also=("/slots/fairness/",),
    ),
    Entry(
        label=_("节假日与调休"),
        icon="calendar",
        url_name="scheduling:calendar",
        permission=Scheduling.CALENDAR_MANAGE,
        group=_HOUSE,
    ),
    Entry(
        label=_("环节时限"),
        icon="gauge",
        url_name="indicators:stages",
        permission=Indicators.INDICATOR_VIEW,
        group=_HOUSE,
    ),
    Entry(
        label=_("机构目录"),
        icon="building-hospital",
        url_name="organizations:tree",
        permission=Organizations.ORGANIZATION_VIEW,
        group=_HOUSE,
    ),
    Entry(
        label=_("人员"),
        icon="address-book",
        url_name="workforce:staff",
        permission=Workforce.WORKFORCE_VIEW,
        group=_HOUSE,
    ),
    Entry(
        label=_("批量导入"),
        icon="file-import",
        url_name="residents:imports",
        permission=Residents.RESIDENT_IMPORT,
        group=_HOUSE,
    ),
    Entry(
        label=_("院内名单"),
        icon="list-check",
        url_name="identity:lists",
        permission=Residents.RESIDENT_LINK,
        group=_HOUSE,
    ),
    Entry(
        label=_("重复档案"), icon="copy", url_name="identity:office", permission=Residents.RESIDENT_MERGE, group=_HOUSE
    ),
    Entry(
        label=_("系统对接"),
        icon="transfer-in",
        url_name="exchange:connections",
        permission=Exchange.EXCHANGE_VIEW,
        group=_HOUSE,
    ),
    Entry(label=_("审计"), icon="eye", url_name="auditing:trail", permission=Access.AUDIT_VIEW, group=_HOUSE),
    Entry(
        label=_("紧急查阅复核"), icon="eye", url_name="auditing:reviews", permission=Access.GLASS_REVIEW, group=_HOUSE
    ),
)

RESIDENT_TABS: tuple[Entry, ...] = (
    Entry(label=_("首页"), icon="heart", url_name="portal:home"),
    Entry(label=_("档案"), icon="clipboard-text", url_name="portal:record", also=("/me/trends/",)),
    Entry(label=_("预约"), icon="calendar", url_name="scheduling:mine"),
    Entry(label=_("谁看过"), icon="eye", url_name="portal:looks"),
    Entry(label=_("到场码"), icon="barcode", url_name="portal:code"),
)


def posts_of(request: HttpRequest) -> Sequence[PostChoice]:
    """The posts that the person holds today, for the switch in the top bar."""
    actor = _actor(request)
    return [PostChoice(key=str(key), label=label, current=key == actor.post_id) for key, label in actor.other_posts]


def unread_of(request: HttpRequest) -> int:
    """How many notices wait for the person."""
    return notices.count_unseen(actor=_actor(request))


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


FRAME = Sources(
    posts=posts_of,
    unread=unread_of,
    search_permission=Residents.RESIDENT_FIND,
    alarm_permissions=ALARMED,
    leave_permission=Worklist.TASK_DELEGATE,
)
