"""Who acts in the demonstration: the site says, through one function that it wires, what an account may do."""

from collections.abc import Callable, Sequence
from functools import cache

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Organization
from doorstep.people.workforce.models import Post

ActorOf = Callable[[User], Actor]
Chore = Callable[[], object]
_actor_of: list[ActorOf] = []
_chores: list[Chore] = []


def install(actor_of: ActorOf, chores: Sequence[Chore] = ()) -> None:
    """Wire the function that finds the actor of an account, and what the house does by its clocks; the last call counts."""
    _actor_of[:] = [actor_of]
    _chores[:] = chores


def chores() -> Sequence[Chore]:
    """What the house does by its clocks while the county lives its past days."""
    return tuple(_chores)


@cache
def actor_of_practitioner(practitioner_id: int) -> Actor:
    """The actor behind the account of a practitioner; raises User.DoesNotExist when there is none."""
    with acting(system_actor(Purpose.SIGN_IN)):
        return _actor_of[0](User.objects.get(practitioner__id=practitioner_id))


@cache
def colleague(*, roles: Sequence[str], at: int | None = None, above: int | None = None) -> Actor | None:
    """Somebody with the first of these roles that is held at a unit, or at the unit above another; None when nobody is."""
    with acting(system_actor(Purpose.SIGN_IN)):
        house = at
        if above is not None:
            house = Organization.objects.filter(id=above).values_list("parent_id", flat=True).first()
        posts = list(Post.objects.filter(organization_id=house, role__in=roles).order_by("id")) if house else []
    for post in sorted(posts, key=lambda one: roles.index(one.role)):
        found = actor_of_practitioner(post.practitioner_id)
        # Who has several posts acts in the one that is chosen, which may be elsewhere.
        if found.organization_id == house:
            return found
    return None
