"""What comes from the database is what Django would have made of it."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection
from django.db.models import F, Model
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def djangos_own(row: Resident) -> Resident:
    """The same row made by Django itself."""
    names = [field.attname for field in Resident._meta.concrete_fields]
    made = Model.from_db.__func__(Resident, "default", names, [row.__dict__[name] for name in names])  # type: ignore[attr-defined]
    assert isinstance(made, Resident)
    return made


@pytest.fixture
def aunt_zhao() -> Iterator[Resident]:
    """In the eyes of her village doctor."""
    world = make_world()
    made = make_resident(
        organization_id=world.village, name="赵桂兰", birth_date=date(1963, 9, 15), panel_of=(world.village,)
    )
    with acting(of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))):
        yield made


def test_row_whole_equals_djangos(aunt_zhao: Resident) -> None:
    found = Resident.objects.get(pk=aunt_zhao.pk)
    own = djangos_own(found)
    assert found == own
    assert model_to_dict(found) == model_to_dict(own)
    assert {name: value for name, value in vars(found).items() if name != "_state"} == {
        name: value for name, value in vars(own).items() if name != "_state"
    }
    assert (found._state.adding, found._state.db) == (own._state.adding, own._state.db) == (False, "default")


def test_row_in_part_fetches_the_rest_when_it_is_asked_for(aunt_zhao: Resident) -> None:
    found = Resident.objects.only("name").get(pk=aunt_zhao.pk)
    assert found.get_deferred_fields() == {
        field.attname for field in Resident._meta.concrete_fields if field.attname not in {"id", "name"}
    }
    with CaptureQueriesContext(connection) as asked:
        assert (found.name, found.birth_date) == ("赵桂兰", date(1963, 9, 15))
    assert len(asked) == 1


def test_row_with_what_is_joined_and_annotated(aunt_zhao: Resident) -> None:
    [found] = Resident.objects.select_related("organization").annotate(called=F("name")).filter(pk=aunt_zhao.pk)
    with CaptureQueriesContext(connection) as asked:
        assert (found.organization.pk, found.called) == (aunt_zhao.organization_id, "赵桂兰")
    assert len(asked) == 0


def test_row_is_changed_and_saved_as_ever(aunt_zhao: Resident) -> None:
    found = Resident.objects.get(pk=aunt_zhao.pk)
    found.name = "赵桂芝"
    found.save(update_fields=["name"])
    assert Resident.objects.get(pk=aunt_zhao.pk).name == "赵桂芝"


def test_row_names_and_values_must_fit() -> None:
    with pytest.raises(ValueError, match="zip"):
        Resident.from_db("default", ["id", "name"], [1])
