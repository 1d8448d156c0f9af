"""档案编号, 家庭住址 and 联系电话 on the form: from the register, as the doctor corrects them, on paper and as FHIR."""

import pytest

from doorstep.care.referrals import actions, contact, papers, queries
from doorstep.care.referrals.fhir import service_request
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.people.residents.models import Resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop() -> Loop:
    made = make_loop()
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=made.resident.pk).update(
            address="禾川县清溪镇石桥村 3 组", record_number="43010200100200007"
        )
        made.resident.refresh_from_db()
    return made


def test_form_takes_the_contact_from_the_register_and_keeps_what_is_corrected(loop: Loop) -> None:
    with acting(loop.village) as village:
        one = draft(loop)
        assert (one.patient_phone, one.record_number) == (loop.resident.phone, "43010200100200007")
        assert one.patient_address == "禾川县清溪镇石桥村 3 组"
        values = {"kind": "ordinary", "critical": False, "bed_requested": True, "patient_phone": "0731-2345678 转 2"}
        one = actions.revise(referral=one, actor=village, values=values)
        with pytest.raises(Refused) as refused:
            actions.submit(referral=one, consent=CONSENT, actor=village)
        assert set(refused.value.fields) == {"patient_phone"}
        none = {"patient_phone": "", "patient_address": "", "record_number": "无"}
        one = actions.revise(referral=one, actor=village, values=none)
        with pytest.raises(Refused) as refused:
            actions.submit(referral=one, consent=CONSENT, actor=village)
        assert set(refused.value.fields) == {"patient_phone", "record_number"}
        values = {"patient_phone": "0731-2345678", "record_number": ""}
        sent = actions.submit(referral=one, consent=CONSENT, actor=village, revision=values)
    with acting(loop.office) as office:
        found = queries.get(key=sent.key, actor=office)
        assert found.patient_phone == "0731-2345678"
        [told] = [one for one in service_request(found)["extension"] if one["url"] == systems.REFERRAL_CONTACT]
        assert told["extension"] == [{"url": "phone", "valueString": "0731-2345678"}]
        assert contact.said(told) == {"patient_phone": "0731-2345678"}
        assert papers.referral_form(found, token="t").startswith(b"%PDF")


def test_green_channel_takes_somebody_whom_nobody_can_call(loop: Loop) -> None:
    with acting(loop.village) as village:
        one = draft(loop)
        values = {"kind": "green", "critical": True, "patient_phone": "", "patient_address": ""}
        one = actions.revise(referral=one, actor=village, values=values)
        assert actions.submit(referral=one, consent=CONSENT, actor=village).state == "submitted_green"


def test_whom_nobody_can_name_is_sent_by_any_way_without_phone_and_address(loop: Loop) -> None:
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=loop.resident.pk).update(unidentified=True)
        loop.resident.refresh_from_db()
    with acting(loop.village) as village:
        one = draft(loop)
        none = {"patient_phone": "", "patient_address": "", "record_number": ""}
        values = {"kind": "ordinary", "critical": False, "bed_requested": True, **none}
        one = actions.revise(referral=one, actor=village, values=values)
        assert actions.submit(referral=one, consent=CONSENT, actor=village).state == "submitted"
