"""Two sides at once on two connections: one wins, the other is told who did what."""

import threading
from collections.abc import Callable
from copy import copy

import pytest
from django.db import connection

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.workflow.queries import history
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user


@pytest.mark.django_db(transaction=True)
def test_accept_and_withdraw_at_once_one_wins() -> None:
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    barrier = threading.Barrier(2)
    outcomes: dict[str, str] = {}

    def run(name: str, actor: Actor, act: Callable[[], object]) -> None:
        barrier.wait(timeout=20)
        try:
            with acting(actor):
                act()
            outcomes[name] = "done"
        except TransitionRefused as refused:
            outcomes[name] = str(refused.message)
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=run, args=("accept", loop.office, lambda: actions.accept(referral=referral, actor=loop.office))
        ),
        threading.Thread(
            target=run,
            args=(
                "withdraw",
                loop.village,
                lambda: actions.withdraw(referral=referral, reason="家属要求", actor=loop.village),
            ),
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with acting(loop.village):
        final = queries.get(key=referral.key, actor=loop.village)
    # A withdrawal may follow an acceptance; an acceptance may never follow a withdrawal.
    assert final.state == "withdrawn"
    assert outcomes["withdraw"] == "done"
    if outcomes["accept"] != "done":
        assert "李长河" in outcomes["accept"]
        assert "已撤回" in outcomes["accept"]


@pytest.mark.django_db(transaction=True)
def test_accept_redirect_and_withdraw_at_once_leave_one_story() -> None:
    """Three people who each read the case, three connections: one chain of steps, and who came too late is told who was first."""
    loop = make_loop()
    referral = referral_in(loop, "submitted_green")
    second = make_staff(name="另一专员", organization_id=loop.world.lead, role="referral_officer", username="office2")
    colleague = of_user(second)
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
    barrier = threading.Barrier(3)
    outcomes: dict[str, str] = {}

    def run(name: str, actor: Actor, act: Callable[[], object]) -> None:
        barrier.wait(timeout=20)
        try:
            with acting(actor):
                act()
            outcomes[name] = "done"
        except TransitionRefused as refused:
            outcomes[name] = str(refused.message)
        finally:
            connection.close()

    acts: dict[str, tuple[Actor, Callable[[], object]]] = {
        "accept": (loop.office, lambda: actions.accept(referral=copy(referral), actor=loop.office)),
        "redirect": (
            colleague,
            lambda: actions.redirect(referral=copy(referral), target_id=other.pk, reason="无床位", actor=colleague),
        ),
        "withdraw": (
            loop.village,
            lambda: actions.withdraw(referral=copy(referral), reason="家属要求", actor=loop.village),
        ),
    }
    threads = [threading.Thread(target=run, args=(name, actor, act)) for name, (actor, act) in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with acting(loop.village):
        final = queries.get(key=referral.key, actor=loop.village)
        steps = [step.verb for step in history(final, actor=loop.village)][2:]
    # The sender may withdraw before and after an answer; of the two answers at most one was given.
    assert final.state == "withdrawn"
    assert outcomes["withdraw"] == "done"
    assert sorted(steps) == sorted(name for name, said in outcomes.items() if said == "done")
    assert [outcomes["accept"], outcomes["redirect"]].count("done") <= 1
    for name in ("accept", "redirect"):
        if outcomes[name] != "done":
            assert any(who in outcomes[name] for who in ("李长河", "郑岚", "另一专员")), outcomes[name]
