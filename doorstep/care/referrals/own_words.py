"""What residents are told of their own referral at each stage: words for the patient, not those of the offices."""

from doorstep.coordination.notices.texts import Text

TEXTS: dict[str, Text] = {
    "own-referral-sent": Text("您的转诊已提交，等候医院答复", "Your referral was sent: the hospital will answer"),
    "own-referral-offered": Text(
        "医院已安排就诊，请您确认", "The hospital has a place for you: please agree or decline", "warn"
    ),
    "own-referral-confirmed": Text("到院安排已确认，请按时到院", "Your visit is confirmed: please come in time"),
    "own-referral-offer-refused": Text(
        "已记下您不接受这次安排，医院会另行安排", "You declined the place: the hospital looks for another"
    ),
    "own-referral-offer-lapsed": Text(
        "到院安排逾期未确认，医院会另行安排",
        "The offered place was not confirmed in time: the hospital looks for another",
        "warn",
    ),
    "own-referral-advised": Text("专科医生已答复建议，不必到院", "A specialist answered by advice: no visit is needed"),
    "own-referral-passed-on": Text(
        "医院未及时答复，您的转诊已转到另一家医院",
        "The hospital did not answer in time: your referral went to another one",
        "warn",
    ),
    "own-referral-accepted": Text("医院已受理您的转诊，请按时到院", "The hospital accepted you: please come in time"),
    "own-referral-returned": Text("医院请您的医生补充资料", "The hospital asks your doctor for more information"),
    "own-referral-redirected": Text(
        "您的转诊已改到其他科室或医院", "Your referral went to another department or hospital", "warn"
    ),
    "own-referral-declined": Text(
        "医院未能接收，请看替代安排并联系您的医生",
        "The hospital could not take you: see what it suggests and ask your doctor",
        "warn",
    ),
    "own-referral-withdrawn": Text("您的转诊已撤回", "Your referral was withdrawn", "warn"),
    "own-referral-departed": Text("已登记您出发，医院已准备接诊", "You are on the way: the hospital is ready"),
    "own-referral-arrived": Text("已报到，请等候医生接诊", "You are checked in: please wait for the doctor"),
    "own-referral-not-arrived": Text(
        "没有等到您到院，如不能前往请告诉您的医生",
        "You did not arrive: tell your doctor if you cannot come",
        "warn",
    ),
    "own-referral-new-day": Text("新的到院时间已约好，请按时到院", "Another day is agreed: please come in time"),
    "own-referral-place-given-up": Text(
        "您取消了转诊的预约，医院会另行安排；不想去了请告诉您的医生",
        "You cancelled the visit of your referral: the hospital looks for another; tell your doctor if you do not want one",
        "warn",
    ),
    "own-referral-elsewhere": Text(
        "您已在他处就诊，这份转诊已结束", "You were seen elsewhere: this referral has ended"
    ),
    "own-referral-outside": Text(
        "已登记您转往医共体外，医生会询问诊疗结果",
        "You were sent to a hospital outside the network: your doctor will ask how it went",
    ),
    "own-referral-treated": Text("医生已接诊", "The doctor sees you now"),
    "own-referral-admitted": Text("已办理住院", "You were admitted"),
    "own-referral-discharged": Text(
        "医院诊疗已结束，正在联系家门口的医生", "The hospital has finished and contacts your local doctor"
    ),
    "own-referral-handed-back": Text(
        "小结和康复计划已送到家门口的医生", "Your summary and recovery plan went to your local doctor"
    ),
    "own-referral-arranged": Text(
        "家门口已安排好接您，请看时间和地点", "Your local unit is ready for you: see when and where"
    ),
    "own-referral-received": Text(
        "家门口的医生已承接，会按计划随访", "Your local doctor has taken over and will follow up"
    ),
    "own-referral-closed": Text("您的转诊已办结，可查看结果", "Your referral is closed: see how it ended"),
    "own-follow-up": Text(
        "您有一次随访到期，请等候或联系家庭医生",
        "A follow-up is due: your doctor will call, or call the doctor",
        "warn",
    ),
}

# Event -> what the resident is told. A stage that is the offices' own matter is not among them, and the dead are told nothing.
TOLD: dict[str, str] = {
    "ReferralSubmitted": "own-referral-sent",
    "PlaceOffered": "own-referral-offered",
    "OfferConfirmed": "own-referral-confirmed",
    "OfferRefused": "own-referral-offer-refused",
    "OfferExpired": "own-referral-offer-lapsed",
    "ReferralAdvised": "own-referral-advised",
    "ReferralPassedOn": "own-referral-passed-on",
    "PatientDeparted": "own-referral-departed",
    "PatientWentElsewhere": "own-referral-elsewhere",
    "PatientLeftNetwork": "own-referral-outside",
    "ReferralAccepted": "own-referral-accepted",
    "ReferralReturned": "own-referral-returned",
    "ReferralRedirected": "own-referral-redirected",
    "ReferralDeclined": "own-referral-declined",
    "ReferralWithdrawn": "own-referral-withdrawn",
    "PatientArrived": "own-referral-arrived",
    "PatientNotArrived": "own-referral-not-arrived",
    "NewDayAgreed": "own-referral-new-day",
    "PlaceGivenUp": "own-referral-place-given-up",
    "TreatmentStarted": "own-referral-treated",
    "PatientAdmitted": "own-referral-admitted",
    "PatientDischarged": "own-referral-discharged",
    "PatientHandedBack": "own-referral-handed-back",
    "ReturnArranged": "own-referral-arranged",
    "PatientReceivedBack": "own-referral-received",
    "ReferralClosed": "own-referral-closed",
}
