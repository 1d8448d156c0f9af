"""What an audited act is called on a page: the machines' own words, and those of acts without a machine."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from doorstep.site.machines import MACHINES

_WORDS: dict[str, Any] = {
    "record.view": _("查看健康档案"),
    "record.entry": _("查看档案条目"),
    "record.trends": _("查看指标趋势"),
    "record.unveil": _("打开敏感内容"),
    "record.veil": _("遮盖敏感内容"),
    "visit.view": _("查看接诊记录"),
    "visit.vitals": _("记录测量值"),
    "visit.pregnancy": _("记录妊娠与哺乳"),
    "referral.view": _("查看转诊单"),
    "referral.packet": _("查看转诊随附资料"),
    "referral.revise": _("修改转诊单"),
    "referral.open-record": _("转诊打开档案"),
    "referral.coming": _("查看途中患者"),
    "referral.flow": _("查看转诊看板"),
    "follow-up.view": _("查看随访"),
    "ecg.view": _("查看心电图"),
    "ecg-order.view": _("查看心电申请"),
    "ecg-order.print": _("打印心电报告"),
    "ecg-order.preread": _("机器预读心电图"),
    "ecg-order.draft": _("保存心电报告草稿"),
    "ecg-order.outcome": _("查看心电结局"),
    "critical.view": _("查看危急值"),
    "allergy.view": _("查看过敏史"),
    "presence.prove": _("核验到场"),
    "presence.failed": _("核验到场不符"),
    "presence.code": _("生成到场码"),
    "terminal.open": _("恢复自助机"),
    "resident.register": _("登记建档"),
    "resident.register-taken": _("登记已有号码"),
    "resident.take-in": _("登记到本单位"),
    "resident.change": _("更新资料"),
    "resident.identify": _("确认身份"),
    "resident.identify-taken": _("确认身份时号码已有"),
    "resident.merge": _("合并档案"),
    "resident.unmerge": _("撤销合并档案"),
    "resident.compare": _("对照档案"),
    "resident.not-double": _("标为不是同一人"),
    "resident.double-hint": _("提示疑似重复"),
    "resident.patient-numbers": _("查看患者号"),
    "resident.link": _("查重"),
    "resident.link-call": _("发起查重"),
    "resident.insurance": _("查看医保"),
    "resident.accounts": _("查看居民账号与代办"),
    "resident.AccountLinked": _("登记账号代办"),
    "resident.AccountLinkEnded": _("结束账号代办"),
    "resident.death": _("登记死亡"),
    "resident.death-revoked": _("撤销死亡登记"),
    "residents.export": _("导出居民名册"),
    "import.check": _("检查导入文件"),
    "import.done": _("导入居民名册"),
    "import.discard": _("放弃导入"),
    "glass.break": _("紧急查阅"),
    "glass.judge": _("复核紧急查阅"),
    "booking.book": _("预约"),
    "caller.called-back": _("电话回拨核实"),
    "caller.at-counter": _("窗口核对证件"),
    "slot.declare": _("申报号源"),
    "quota.divide": _("分配号源"),
    "quota.rule": _("设置号源释放规则"),
    "schedule.create": _("新建排班"),
    "schedule.resume": _("恢复出诊"),
    "schedule.room": _("变更诊室或设备"),
    "schedule.kind": _("变更就诊类型"),
    "schedule.relay": _("重排已放号源"),
    "rebooking.not-reached": _("停诊改约电话未接通"),
    "waiting.not-reached": _("候补电话未接通"),
    "slots.export": _("导出门诊名单"),
    "debt.export": _("导出欠款名单"),
    "schedule.session": _("设置出诊时段"),
    "ticket.call": _("叫号"),
    "ticket.line-up": _("过号重排"),
    "stay.round": _("记录查房"),
    "stay.view": _("查看住院情况"),
    "beds.export": _("导出床位与候床名单"),
    "stock.count": _("更新药品库存"),
    "post.switch": _("切换岗位"),
    "leave.delegate": _("登记代理"),
    "leave.end": _("提前结束代理"),
    "audit.search": _("查询审计"),
    "document.export": _("导出文档"),
    "app.launch": _("打开应用"),
    "app.agree": _("授权应用"),
    "app.stop": _("停止应用授权"),
    "cds.patient-view": _("查看签约权益提示"),
    "cds.order-select": _("查看互认提示"),
    "cds.order-sign": _("查看互认提示"),
    "terminology.import": _("导入编码目录"),
}
# What an act without a line of its own is about.
_THINGS: dict[str, Any] = {
    "allergy": _("过敏史登记"),
    "recognition": _("检查检验结果互认"),
    "workforce": _("人员管理"),
    "organization": _("机构管理"),
    "consortium": _("医共体管理"),
    "resident": _("居民资料"),
    "exchange": _("系统对接"),
    "fhir": _("数据接口"),
    "subscription": _("数据订阅"),
    "ticket": _("候诊队列"),
    "schedule": _("排班"),
    "cds": _("决策提示"),
    "session": _("登录"),
    "account": _("账号"),
}
# Why somebody may see a resident: the reasons of care relationships.
REASONS: dict[str, Any] = {
    "visit": _("因为接诊"),
    "contract": _("因为家庭医生签约"),
    "order": _("因为检查申请"),
    "referral": _("因为转诊"),
    "return": _("因为下转接续"),
    "consultation": _("因为会诊"),
    "escalation": _("因为危急值无人处理时升级"),
    "emergency": _("因为紧急情况"),
    "source": _("因为单位建档"),
}
_OTHER = _("其他操作")
_VERBS = {f"{machine.name}.{way.verb}": (machine, way) for machine in MACHINES for way in machine.transitions}


def act_words(code: str) -> str:
    """The words of an act ("referral.accept") in the reader's language; what it was about when nobody named it."""
    if code in _WORDS:
        return str(_WORDS[code])
    if code in _VERBS:
        machine, way = _VERBS[code]
        english = (get_language() or "").startswith("en")
        return f"{machine.en}: {way.en}" if english else f"{machine.zh} · {way.zh}"
    return str(_THINGS.get(code.partition(".")[0], _OTHER))


def acts_called(text: str) -> list[str]:
    """The codes of the acts whose words hold a text, so that an auditor searches by what the page shows."""
    return [code for code in (*_WORDS, *_VERBS) if text in act_words(code)] if text else []
