"""The signed paper of consent is a picture or a PDF for whoever opens it, whatever its sender called it: nothing of it runs in a page."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, draft, make_loop
from doorstep.care.referrals.tests.test_views import client_of, post, state_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.files.models import StoredFile

pytestmark = pytest.mark.django_db
SCRIPT = b"\xff\xd8\xff\xe0=1;alert(document.domain)"


def _submitted(loop: Loop, content: bytes, kind: str) -> Referral:
    referral = draft(loop)
    form = {
        "kind": "green", "critical": "on", "target_id": loop.world.lead, "reviewer_id": loop.village.practitioner_id,
        "impression": "急性下壁心肌梗死", "present_illness": "胸痛 2 小时", "symptoms": ["chest-pain"],
        "consent_signer": "周桂兰", "consent_relation": "self", "verb": "submit",
        "consent_paper": SimpleUploadedFile("同意书.jpg", content, content_type=kind),
    }  # fmt: skip
    assert post(client_of(loop, "village"), "referrals:edit", referral.key, **form).status_code == 302
    assert state_of(referral) == "submitted_green"
    return referral


@pytest.mark.parametrize(
    ("content", "called", "kind"),
    [
        (b"%PDF-1.4<script src='/x'></script>", "text/html", "application/pdf"),
        (SCRIPT, "text/javascript", "image/jpeg"),
        (b"\x89PNG<svg/>", "image/svg+xml", "image/png"),
    ],
)
def test_the_type_of_a_paper_is_read_from_its_bytes(content: bytes, called: str, kind: str) -> None:
    loop = make_loop()
    referral = _submitted(loop, content, called)
    answer = client_of(loop, "office").get(reverse("referrals:consent-paper", args=[referral.key]))
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, content, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline"


def test_a_paper_that_was_kept_under_another_type_is_only_handed_over() -> None:
    loop = make_loop()
    referral = _submitted(loop, SCRIPT, "image/jpeg")
    with acting(system_actor(Purpose.IMPORT)):
        # As one that was kept before the bytes were read: a file itself is never changed.
        kept = StoredFile.objects.get(category="consent")
        kept.pk, kept.key, kept.media_type = None, "0d2b6c0e-8f6c-4a3f-9a55-6e6a1f2b7c11", "text/javascript"
        kept.save(force_insert=True)
        Referral.objects.filter(pk=referral.pk).update(consent_paper=kept.key)
    answer = client_of(loop, "office").get(reverse("referrals:consent-paper", args=[referral.key]))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"
