import threading

import pytest
from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from doorstep.kernel.access.models import User
from doorstep.kernel.database.remembered import Remembered, Slot

pytestmark = pytest.mark.django_db


def by_names(names: Slot, kind: Slot) -> QuerySet[User]:
    return User.objects.filter(username__any=names, kind=kind).order_by("username")


@pytest.fixture(autouse=True)
def _staff() -> None:
    for name, kind in (("li", "staff"), ("wang", "staff"), ("zhou", "resident"), ("50%_s", "staff")):
        User.objects.create(username=name, kind=kind, first_name=f"{name}'s")


def test_rows_other_values_give_what_django_gives() -> None:
    reading = Remembered(by_names)
    for names, kind in ((["li", "zhou"], "staff"), (["zhou"], "resident"), ([], "staff"), (["wang", "li"], "staff")):
        assert reading.rows(names, kind) == list(
            User.objects.filter(username__in=names, kind=kind).order_by("username")
        )


def test_rows_enum_is_sent_as_its_value() -> None:
    assert [one.username for one in Remembered(by_names).rows(["li"], User.Kind.STAFF)] == ["li"]


def test_rows_shapes_are_those_of_the_queryset() -> None:
    pairs = Remembered(lambda name: User.objects.filter(username=name).values_list("username", "kind"))
    flat = Remembered(lambda name: User.objects.filter(username=name).values_list("username", flat=True))
    few = Remembered(lambda name: User.objects.filter(username=name).only("username").annotate(again=F("username")))
    assert pairs.rows("li") == [("li", "staff")]
    assert flat.rows("zhou") == ["zhou"]
    found = few.one("wang")
    assert found is not None
    assert "kind" in found.get_deferred_fields()
    assert found.again == found.username == "wang"


def test_rows_fixed_texts_with_percent_signs_and_quotes_stay_texts() -> None:
    reading = Remembered(
        lambda name: (
            User.objects.filter(username=name, first_name="50%_s's")
            .annotate(mark=Concat(Value("%s 100%% "), "username"))
            .values_list("mark", flat=True)
        )
    )
    assert reading.rows("50%_s") == ["%s 100%% 50%_s"]
    assert reading.rows("li") == []
    contains = Remembered(lambda text: User.objects.filter(username__contains=text).values_list("username", flat=True))
    assert contains.rows("%_") == ["50%_s"]
    assert contains.rows("'; DROP TABLE access_user; --") == []


def test_one_nobody_found_is_none() -> None:
    assert Remembered(by_names).one(["nobody"], "staff") is None


def test_rows_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(TypeError, match="2 values"):
        Remembered(by_names).rows(["li"])


def test_rows_is_one_counted_statement() -> None:
    reading = Remembered(by_names)
    for _ in range(6):
        with CaptureQueriesContext(connection) as captured:
            reading.rows(["li"], "staff")
        assert len(captured) == 1


def test_rows_two_threads_ask_by_their_own_connections(transactional_db: None) -> None:
    User.objects.create(username="sun", kind="staff")
    reading, found = Remembered(by_names), []

    def ask() -> None:
        found.append([one.username for one in reading.rows(["sun"], "staff")])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["sun"], ["sun"]]
