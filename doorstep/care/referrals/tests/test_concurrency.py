"""Two sides at once on two connections: one wins, the other is told who did what."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.tests.factories import make_loop, referral_in
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.workflow.actions import TransitionRefused


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
