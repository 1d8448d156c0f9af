"""What a session needs of posts, in one statement."""

from datetime import date

import pytest
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.tests.factories import make_staff, make_world
from doorstep.people.workforce import queries

pytestmark = pytest.mark.django_db


def test_posts_of_user_knows_tree_and_consortium() -> None:
    """The post carries what is below its unit and the consortium of the day, as the queries of organisations say."""
    world = make_world()
    user = make_staff(name="孙敏", organization_id=world.township, role="township_duty")
    today = timezone.localdate()
    with acting(system_actor(Purpose.SIGN_IN)):
        (post,) = queries.posts_of_user(user_id=user.pk, day=today)
        assert post.below == organizations.below(organization_id=world.township)
        assert world.village in post.below
        assert post.consortium_id == organizations.consortium_of(organization_id=world.township, day=today)
        assert post.consortium_id is not None


def test_posts_of_user_before_the_post_began() -> None:
    """On a day before it began there is no post."""
    world = make_world()
    user = make_staff(name="孙敏", organization_id=world.township, role="township_duty")
    with acting(system_actor(Purpose.SIGN_IN)):
        assert queries.posts_of_user(user_id=user.pk, day=date(1990, 1, 1)) == []
