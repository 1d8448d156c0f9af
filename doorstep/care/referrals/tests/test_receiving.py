"""What a unit that takes patients over meets: the code of the paper, the bed it keeps, its own row of a proposal, the next follow-up."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import DownProposal, FollowUp, Referral
from doorstep.care.referrals.presenters import thing as presenters
from doorstep.care.referrals.tests.factories import GOOD, PLAN, Loop, make_loop, referral_in
from doorstep.care.referrals.tests.test_down_aims import a_care_home, a_ward, sent_home, sent_to
from doorstep.care.referrals.tests.test_going_home import WELL, can, lie_in, propose, stable
from doorstep.care.referrals.tests.test_rehabilitation import a_hospital, says
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff

pytestmark = pytest.mark.django_db

BOX = 'id="return-code"'


def handed_to(loop: Loop, unit: int, aim: str) -> Referral:
    discharged = referral_in(loop, "discharged")
    with acting(loop.specialist) as ward:
        case = queries.get(key=discharged.key, actor=ward)
        return actions.hand_back(referral=case, actor=ward, receiver_id=unit, aim=aim)


def a_rehabilitation_hospital(loop: Loop) -> tuple[int, User, Actor]:
    unit, user, doctor = a_hospital(loop, "禾川县康复医院", "R1")
    says(unit, doctor, "rehab")
    a_ward(unit, "1", "2", kind="rehab")
    return unit, user, doctor


def test_the_rehabilitation_doctor_scans_the_paper_and_receives(client: Client) -> None:
    loop = make_loop()
    unit, user, _doctor = a_rehabilitation_hospital(loop)
    referral = handed_to(loop, unit, "rehab")
    client.force_login(user)
    assert BOX in client.get(reverse("referrals:returning")).content.decode()
    # A scanner types the text and Enter, sometimes with a space or a line's end behind it.
    answer = client.post(reverse("referrals:scan-back"), {"code": queries.way_home_token(referral=referral) + " \r"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("referrals:detail", args=[referral.key])
    page = client.get(answer.headers["Location"]).content.decode()
    assert "receive_back" in page
    # The next paper is scanned on the page of the last.
    assert BOX in page


def test_a_care_home_scans_the_paper(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop, said={**WELL, "needs_care": True})
    home = a_care_home()
    down = sent_to(loop, home)
    client.force_login(home.user)
    assert BOX in client.get(reverse("referrals:returning")).content.decode()
    answer = client.post(reverse("referrals:scan-back"), {"code": queries.way_home_token(referral=down)})
    assert answer.headers["Location"] == reverse("referrals:detail", args=[down.key])


def test_who_scans_what_is_not_theirs_reads_why(client: Client) -> None:
    loop = make_loop()
    unit, user, _doctor = a_rehabilitation_hospital(loop)
    referral = handed_to(loop, unit, "rehab")
    home, up = queries.way_home_token(referral=referral), queries.qr_token(referral=referral)
    stranger = a_hospital(loop, "禾川县第二人民医院", "R2")[1]
    for who, code, sentence in (
        (stranger, home, "不是转给本单位的"),
        (loop.users["family"], home, "不是转给本单位的"),
        (user, home + "x", "二维码无法识别"),
        (user, up, "二维码无法识别"),
        (user, "", "二维码无法识别"),
        (user, "\x00", "二维码无法识别"),
    ):
        client.force_login(who)
        answer = client.post(reverse("referrals:scan-back"), {"code": code})
        text = answer.content.decode()
        assert answer.status_code == 422, (who.username, code)
        assert sentence in text
        assert "周桂兰" not in text or who == user
    village = make_staff(name="龙大山", organization_id=loop.world.other_township, role="village_doctor", username="v9")
    client.force_login(village)
    assert client.post(reverse("referrals:scan-back"), {"code": home}).status_code == 403


def test_a_kept_bed_names_for_whom_to_the_ward_that_keeps_it(client: Client) -> None:
    loop = make_loop()
    unit, user, doctor = a_rehabilitation_hospital(loop)
    referral = handed_to(loop, unit, "rehab")
    with acting(doctor):
        case = queries.get(key=referral.key, actor=doctor)
        bed = Bed.objects.get(number="1", organization_id=unit)
        at = timezone.now() + timedelta(days=1)
        actions.receive_back(referral=case, actor=doctor, bed_key=bed.key, expected_at=at)
    client.force_login(user)
    board = reverse("beds:board")
    tile = re.findall(r'<div class="ds-bed is-held">.*?</div>', client.get(board).content.decode(), re.S)[0]
    assert referral.patient_name in tile
    assert re.search(r"女 \d+ 岁", tile)
    assert reverse("referrals:detail", args=[referral.key]) in tile
    assert referral.patient_name in client.get(f"{board}?q=zgl").content.decode()
    book = CalamineWorkbook.from_filelike(_file(client))
    assert any(referral.patient_name in row for row in book.get_sheet_by_name("床位").to_python())
    client.force_login(make_staff(name="曾庆明", organization_id=unit, role="manager", username="manager9"))
    assert referral.patient_name not in client.get(board).content.decode()


def test_a_receiver_reads_its_own_row_and_finds_the_others_folded(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    loop = make_loop()
    stable(monkeypatch)
    lie_in(loop)
    can(loop, loop.world.township, "rehab")
    can(loop, loop.world.other_township, "rehab")
    proposal = propose(loop)
    assert proposal is not None
    with acting(loop.specialist) as ward:
        actions.agree_ward(
            proposal=proposal, actor=ward, signer="周桂兰", relation="self", receiver_id=loop.world.township
        )
    client.force_login(loop.users["family"])
    text = client.get(reverse("referrals:proposal", args=[proposal.key])).content.decode()
    own, _fold, others = text.partition('<details class="ds-refusal"><summary class="px-3">')
    names = _names(proposal)
    assert names[loop.world.township] in own
    assert names[loop.world.other_township] not in own
    assert names[loop.world.other_township] in others
    client.get("/language/?lang=en")
    english = client.get(reverse("referrals:proposal", args=[proposal.key])).content.decode()
    assert "Can do" in english
    # Lists have the marks of the language in which they are read.
    assert not re.search("[、；]", english.partition('id="main"')[2])


def test_after_arrival_the_clock_is_that_of_the_next_follow_up() -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "bed")
    with acting(loop.family) as family:
        case = queries.get(key=home.key, actor=family)
        actions.receive_back(
            referral=case, actor=family, bed_key=Bed.objects.get().key, expected_at=timezone.now() + timedelta(days=1)
        )
        actions.arrive_back(referral=queries.get(key=home.key, actor=family), actor=family)
        rows = list(FollowUp.objects.order_by("due_on"))
        assert _clock(home, family) == rows[0].due_on
        first = queries.get_follow_up(key=rows[0].key, actor=family)
        actions.complete_follow_up(follow_up=first, findings=GOOD, actor=family)
        assert _clock(home, family) == rows[1].due_on


def _clock(referral: Referral, actor: Actor) -> object:
    case = queries.get(key=referral.key, actor=actor)
    line = presenters.lines_of([case], chosen=case)[0]
    assert line.due_at is not None
    assert presenters.thing_of(case, actor=actor, line=line).due_at == line.due_at
    return timezone.localdate(line.due_at)


def _names(proposal: DownProposal) -> dict[int, str]:
    return {one["id"]: one["name"] for one in proposal.choices}


def _file(client: Client) -> BytesIO:
    return BytesIO(client.get(reverse("beds:export")).content)


def test_a_refused_code_leaves_the_box_empty_for_the_next_scan_and_a_typed_number_stays(client: Client) -> None:
    loop = make_loop()
    referral = referral_in(loop, "handed_back")
    code = queries.way_home_token(referral=referral) + "x"
    for who, name in (("family", "scan-back"), ("family", "check-in"), ("office", "check-in")):
        client.force_login(loop.users[who])
        assert code not in client.post(reverse(f"referrals:{name}"), {"code": code}).content.decode()
    # One figure of a number was mistyped: it is mended, not typed anew.
    assert (
        'value="43098119630915882X"'
        in client.post(reverse("referrals:check-in"), {"code": "43098119630915882X"}).content.decode()
    )


def test_whoever_lies_down_brings_the_medicines_of_the_plan_to_the_first_round(client: Client) -> None:
    loop = make_loop()
    a_ward(loop.world.township, "1")
    home = sent_home(loop, "bed")
    with acting(loop.family) as family:
        case = queries.get(key=home.key, actor=family)
        actions.receive_back(
            referral=case, actor=family, bed_key=Bed.objects.get().key, expected_at=timezone.now() + timedelta(days=1)
        )
        actions.arrive_back(referral=queries.get(key=home.key, actor=family), actor=family)
        stay = Stay.objects.get(reference=home.subject)
        assert [line["name"] for line in stay.medicines] == [line["name"] for line in PLAN.medicines]
    client.force_login(loop.users["family"])
    page = client.get(reverse("beds:stay", args=[stay.key])).content.decode()
    assert f'value="{PLAN.medicines[0]["name"]}"' in page
