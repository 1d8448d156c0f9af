"""What the family doctor's team is told of a resident's referral that others sent: what happened, never what the sender has to do."""

from doorstep.coordination.notices.texts import Text

TEXTS: dict[str, Text] = {
    "referral-sent": Text("您的签约居民已申请转诊", "A resident of your panel was referred"),
    "family-offered": Text("签约居民的转诊已有到院安排，待确认", "A place was offered to a resident of your panel"),
    "family-offer-lapsed": Text(
        "签约居民的到院安排逾期未确认，医院会另行安排",
        "A place offered to a resident of your panel ran out unconfirmed: the hospital looks for another",
    ),
    "family-returned": Text(
        "签约居民的转诊被退回，转出方正在补充资料",
        "The referral of a resident of your panel was returned to its sender",
    ),
    "family-declined": Text("签约居民的转诊未被接收", "The referral of a resident of your panel was declined"),
    "family-place-given-up": Text(
        "签约居民取消了转诊号源，医院会另行安排",
        "A resident of your panel gave the place of a referral up: the hospital looks for another",
    ),
    "family-not-arrived": Text(
        "签约居民逾时未到院，转出方正在联系", "A resident of your panel did not come: the sender asks why"
    ),
    "family-outside": Text("签约居民已转往医共体外", "A resident of your panel was sent out of the network"),
    "family-handed-back": Text(
        "签约居民的下转计划已送达承接机构", "The recovery plan of a resident of your panel went to the receiving unit"
    ),
    "family-back-declined": Text(
        "签约居民的下转未被承接，医院正在改选机构",
        "A resident of your panel was not taken back: the hospital looks for another unit",
    ),
    "referral-outside-known": Text(
        "居民在医共体外的诊疗结果已登记", "The result of a resident seen outside the network is known"
    ),
}

# Event -> what the team is told; of the others it reads what the sides read.
TOLD: dict[str, str] = {
    "ReferralSubmitted": "referral-sent",
    "PlaceOffered": "family-offered",
    "OfferRefused": "referral-offer-turned-down",
    "OfferExpired": "family-offer-lapsed",
    "ReferralReturned": "family-returned",
    "ReferralDeclined": "family-declined",
    "PlaceGivenUp": "family-place-given-up",
    "PatientNotArrived": "family-not-arrived",
    "PatientLeftNetwork": "family-outside",
    "OutsideResultKnown": "referral-outside-known",
    "PatientHandedBack": "family-handed-back",
    "HandBackDeclined": "family-back-declined",
}
