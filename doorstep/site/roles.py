"""The matrix of roles: who may do what. A dozen, in one page, granted on an organisation by a post."""

from doorstep.care.contracts.permissions import Permission as Contracts
from doorstep.care.diagnosis.permissions import Permission as Diagnosis
from doorstep.care.referrals.permissions import Permission as Referrals
from doorstep.coordination.allergies.permissions import Permission as Allergies
from doorstep.coordination.beds.permissions import Permission as Beds
from doorstep.coordination.notices.permissions import Permission as Notices
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits.permissions import Permission as Visits
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.roles import Role
from doorstep.kernel.exchange.permissions import Permission as Exchange
from doorstep.kernel.worklist.permissions import Permission as Worklist
from doorstep.people.organizations.permissions import Permission as Organizations
from doorstep.people.residents.permissions import Permission as Residents
from doorstep.people.workforce.permissions import Permission as Workforce
from doorstep.steering.indicators.permissions import Permission as Indicators

_EVERYBODY = frozenset({Worklist.TASK_VIEW, Notices.NOTICE_VIEW, Organizations.ORGANIZATION_VIEW})
_AT_THE_BEDSIDE = _EVERYBODY | {
    Access.RECORD_VIEW,
    Access.SENSITIVE_OPEN,
    Access.GLASS_BREAK,
    Residents.RESIDENT_FIND,
    Residents.DEATH_RECORD,
    Allergies.ALLERGY_RECORD,
    Worklist.TASK_DELEGATE,
    Scheduling.SLOT_VIEW,
    Contracts.CONTRACT_VIEW,
    Referrals.REFERRAL_VIEW,
    Beds.BED_VIEW,
}
_PRIMARY = _AT_THE_BEDSIDE | {
    Residents.RESIDENT_REGISTER,
    Visits.VISIT_OPEN,
    Visits.VITALS_RECORD,
    Contracts.CONTRACT_SIGN,
    Diagnosis.ECG_ORDER,
    Diagnosis.CRITICAL_ACKNOWLEDGE,
    Diagnosis.ECG_OUTCOME_VIEW,
    Referrals.REFERRAL_SUBMIT,
    Referrals.FOLLOW_UP_DO,
    Scheduling.SLOT_BOOK,
    Referrals.CASE_ANSWER,
}
# A primary unit takes patients as well: for its clinic, rehabilitation or a bed of its own.
_RECEIVING = frozenset(
    {
        Referrals.REFERRAL_RECEIVE_BACK,
        Referrals.REFERRAL_ACCEPT,
        Referrals.ARRIVAL_VIEW,
        Referrals.REFERRAL_TREAT,
        Referrals.FLOW_VIEW,
        Referrals.DEBT_VIEW,
        Beds.BED_MANAGE,
    }
)

# Roles of daily work: a manager may give them. Who manages, audits or administers is given from above.
_AT_WORK = frozenset(
    {
        "village_doctor",
        "family_doctor",
        "township_duty",
        "nurse",
        "care_home_nurse",
        "ecg_reader",
        "specialist",
        "referral_officer",
        "lead_duty",
        "registrar",
        "clinic_desk",
        "kiosk",
    }
)

ROLES: dict[str, Role] = {
    role.key: role
    for role in (
        Role(
            "village_doctor",
            "村医",
            "Village doctor",
            "接诊本村居民，测量、申请检查、发起转诊、完成随访。",
            frozenset(_PRIMARY),
            sees_records=True,
        ),
        Role(
            "family_doctor",
            "家庭医生",
            "Family doctor",
            "管理签约居民，承接下转，安排并完成随访；辖区村卫生室的工作一并可见。",
            frozenset(_PRIMARY | _RECEIVING),
            cascades=True,
            sees_records=True,
        ),
        Role(
            "township_duty",
            "卫生院值班医师",
            "Township duty doctor",
            "值守本院：承接逾时未处理的危急值，受理下转，减免先诊疗后付费欠款。",
            frozenset(_PRIMARY | _RECEIVING | {Referrals.DEBT_WAIVE}),
            cascades=True,
            sees_records=True,
        ),
        Role(
            "nurse",
            "护士",
            "Nurse",
            "登记、测量、随访。",
            frozenset(
                _EVERYBODY
                | {
                    Access.RECORD_VIEW,
                    Residents.RESIDENT_FIND,
                    Residents.RESIDENT_REGISTER,
                    Visits.VISIT_OPEN,
                    Visits.VITALS_RECORD,
                    Allergies.ALLERGY_RECORD,
                    Referrals.FOLLOW_UP_DO,
                }
            ),
            sees_records=True,
        ),
        Role(
            "care_home_nurse",
            "照护机构护士长",
            "Care-home nurse",
            "承接下转到养老与照护机构的患者，安排床位、登记入住、随访和提问；只看随附资料和康复计划，不看完整档案。",
            frozenset(
                _EVERYBODY
                | {
                    Referrals.REFERRAL_VIEW,
                    Referrals.REFERRAL_RECEIVE_BACK,
                    Referrals.FOLLOW_UP_DO,
                    Referrals.CASE_ANSWER,
                    Beds.BED_VIEW,
                    Beds.BED_MANAGE,
                }
            ),
            sees_records=True,
        ),
        Role(
            "ecg_reader",
            "心电诊断医师",
            "ECG reader",
            "在心电诊断中心领取、阅图、报告、签发，登记危急值。",
            frozenset(
                _EVERYBODY
                | {
                    Access.RECORD_VIEW,
                    Diagnosis.ECG_QUEUE_VIEW,
                    Diagnosis.ECG_READ,
                    Diagnosis.ECG_SIGN,
                    Diagnosis.ECG_OUTCOME_VIEW,
                    Worklist.TASK_DELEGATE,
                }
            ),
            sees_records=True,
        ),
        Role(
            "specialist",
            "专科医师",
            "Specialist",
            "接诊转诊患者，查看完整档案，收治、出院、制定康复计划并下转；康复医院和上转医院的医师承接转回本院的患者。",
            frozenset(
                _AT_THE_BEDSIDE
                | {
                    Referrals.REFERRAL_TREAT,
                    Referrals.DEBT_VIEW,
                    Referrals.REFERRAL_SUBMIT,
                    # A hospital takes patients back too: for rehabilitation, and those that it sent up itself.
                    Referrals.REFERRAL_RECEIVE_BACK,
                    Referrals.FOLLOW_UP_DO,
                    Referrals.CASE_ANSWER,
                    Beds.BED_MANAGE,
                    Diagnosis.ECG_OUTCOME_VIEW,
                    Scheduling.SLOT_OVERBOOK,
                    Scheduling.QUEUE_CALL,
                }
            ),
            sees_records=True,
        ),
        Role(
            "referral_officer",
            "转诊中心专员",
            "Referral officer",
            "受理、退回、改派转诊，核对身份报到。",
            frozenset(
                _EVERYBODY
                | {
                    Access.RECORD_VIEW,
                    Residents.RESIDENT_FIND,
                    Scheduling.SLOT_VIEW,
                    Scheduling.SCHEDULE_MANAGE,
                    Scheduling.QUOTA_MANAGE,
                    Scheduling.QUEUE_CALL,
                    Scheduling.SLOT_OVERBOOK,
                    Referrals.REFERRAL_VIEW,
                    Referrals.REFERRAL_ACCEPT,
                    Referrals.ARRIVAL_VIEW,
                    Referrals.FLOW_VIEW,
                    Beds.BED_VIEW,
                    Beds.BED_MANAGE,
                }
            ),
            sees_records=True,
        ),
        Role(
            "clinic_manager",
            "门诊部主管",
            "Clinic manager",
            "排班、停诊、号源分配与释放规则，加号，候补与叫号。",
            frozenset(
                _EVERYBODY
                | {
                    Residents.RESIDENT_FIND,
                    Residents.TERMINAL_OPEN,
                    Scheduling.SLOT_VIEW,
                    Scheduling.SLOT_BOOK,
                    Scheduling.SLOT_OVERBOOK,
                    Scheduling.SCHEDULE_MANAGE,
                    Scheduling.CALENDAR_MANAGE,
                    Scheduling.QUOTA_MANAGE,
                    Scheduling.QUEUE_CALL,
                    Scheduling.PHONE_DESK,
                }
            ),
            sees_records=True,
        ),
        Role(
            "clinic_desk",
            "门诊服务台",
            "Clinic desk",
            "电话、窗口预约与改约，报到取号，叫号。",
            frozenset(
                _EVERYBODY
                | {
                    Residents.RESIDENT_FIND,
                    Residents.TERMINAL_OPEN,
                    Scheduling.SLOT_VIEW,
                    Scheduling.SLOT_BOOK,
                    Scheduling.QUEUE_CALL,
                    Scheduling.PHONE_DESK,
                }
            ),
            sees_records=True,
        ),
        Role(
            "kiosk",
            "自助机",
            "Kiosk",
            "大厅里的机器：居民刷身份证或手机码后自己预约、报到取号；除此之外什么也打不开。",
            frozenset({Scheduling.KIOSK_SERVE, Residents.PRESENCE_TERMINAL}),
            sees_records=True,
        ),
        Role(
            "lead_duty",
            "牵头医院总值班",
            "Lead-hospital duty doctor",
            "承接卫生院也未及时处理的危急值；看途中患者，做好接诊准备；减免先诊疗后付费欠款。",
            frozenset(
                _AT_THE_BEDSIDE
                | {
                    Referrals.ARRIVAL_VIEW,
                    Referrals.DEBT_VIEW,
                    Referrals.DEBT_WAIVE,
                    Diagnosis.CRITICAL_ACKNOWLEDGE,
                    Diagnosis.ECG_OUTCOME_VIEW,
                    Diagnosis.ECG_QUEUE_VIEW,
                }
            ),
            sees_records=True,
        ),
        Role(
            "manager",
            "医共体管理者",
            "Consortium manager",
            "看各环节时限与达标率，下钻到具体业务；不看病历内容。",
            frozenset(
                _EVERYBODY
                | {
                    Indicators.INDICATOR_VIEW,
                    Referrals.FLOW_VIEW,
                    Beds.BED_VIEW,
                    Organizations.ORGANIZATION_MANAGE,
                    Workforce.WORKFORCE_VIEW,
                    Workforce.WORKFORCE_MANAGE,
                    Scheduling.CALENDAR_MANAGE,
                }
            ),
            cascades=True,
            gives=_AT_WORK,
            gives_below=frozenset({"manager"}),
        ),
        Role(
            "administrator",
            "系统管理员",
            "Administrator",
            "建立机构与人员账号，任命管理者与审计员；不看病历内容，不任审计员。",
            frozenset(
                _EVERYBODY
                | {
                    Organizations.ORGANIZATION_MANAGE,
                    Workforce.WORKFORCE_VIEW,
                    Workforce.WORKFORCE_MANAGE,
                }
            ),
            cascades=True,
            gives=_AT_WORK | {"manager", "auditor", "engineer", "supervisor", "administrator"},
        ),
        Role(
            "auditor",
            "审计员",
            "Auditor",
            "查审计记录与查阅关系，复核紧急查阅。",
            frozenset(_EVERYBODY | {Access.AUDIT_VIEW, Access.GLASS_REVIEW}),
            cascades=True,
        ),
        Role(
            "engineer",
            "信息工程师",
            "Engineer",
            "管理系统接入、消息与编码对照，不看病历内容。",
            frozenset(
                _EVERYBODY
                | {
                    Access.CLIENT_MANAGE,
                    Exchange.EXCHANGE_VIEW,
                    Exchange.EXCHANGE_MANAGE,
                    Residents.RESIDENT_LINK,
                }
            ),
            cascades=True,
        ),
        Role(
            "registrar",
            "建档员",
            "Registrar",
            "登记与批量导入居民。",
            frozenset(
                _EVERYBODY
                | {
                    Residents.RESIDENT_FIND,
                    Residents.RESIDENT_REGISTER,
                    Residents.RESIDENT_IMPORT,
                    Residents.RESIDENT_LINK,
                }
            ),
            sees_records=True,
        ),
        Role(
            "records_officer",
            "档案管理员",
            "Records officer",
            "核对疑似重复的居民档案，合并与撤销合并；本单位与下级单位可见的档案。",
            frozenset(
                _EVERYBODY
                | {
                    Access.RECORD_VIEW,
                    Residents.RESIDENT_FIND,
                    Residents.RESIDENT_REGISTER,
                    Residents.RESIDENT_MERGE,
                    Residents.RESIDENT_LINK,
                }
            ),
            cascades=True,
            sees_records=True,
        ),
        Role(
            "supervisor",
            "卫生监督员",
            "Health supervisor",
            "看监测指标与时限达标情况。",
            frozenset(_EVERYBODY | {Indicators.INDICATOR_VIEW}),
            cascades=True,
        ),
    )
}

# What a resident may do with the own record, and those of the persons the resident acts for.
RESIDENT_PERMISSIONS: frozenset[str] = frozenset({"RESIDENT_PORTAL"})

# What a connected hospital system may do for its organisation.
CLIENT_PERMISSIONS: frozenset[str] = frozenset(
    {Access.FHIR_READ, Access.FHIR_WRITE, Scheduling.SLOT_VIEW, Scheduling.SLOT_BOOK}
)

# What a hospital system may do besides, once its engineer has let it register residents.
REGISTERING: frozenset[str] = frozenset({Residents.RESIDENT_REGISTER})
