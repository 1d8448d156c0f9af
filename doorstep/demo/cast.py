"""Who acts in the demonstration: the site says, through one function that it wires, what an account may do."""

from collections.abc import Callable
from functools import cache

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting

ActorOf = Callable[[User], Actor]
_actor_of: list[ActorOf] = []


def install(actor_of: ActorOf) -> None:
    """Wire the function that finds the actor of an account; the last one counts."""
    _actor_of[:] = [actor_of]


@cache
def actor_of_practitioner(practitioner_id: int) -> Actor:
    """The actor behind the account of a practitioner; raises User.DoesNotExist when there is none."""
    with acting(system_actor(Purpose.SIGN_IN)):
        return _actor_of[0](User.objects.get(practitioner__id=practitioner_id))
