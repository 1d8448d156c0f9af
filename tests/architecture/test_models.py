"""The tables: relations point down, residents' rows behind the wall, the traces append-only."""

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Index, ManyToManyRel, ManyToOneRel, Model, UniqueConstraint
from django.db.models.signals import post_init, pre_init

from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.access.models import User
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import POLICY, declared
from doorstep.people.residents.models import Resident
from tests.architecture import exceptions

LAYERS = ("kernel", "people", "coordination", "care", "steering", "demo", "site")
# Among the people a resident has a doctor and a doctor an organisation; other siblings are blind to each other.
ORDERED = {"doorstep.people": ("organizations", "workforce", "residents", "identity")}
# Below us: Django and what we installed.
FOUNDATION = -1


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("doorstep.")]


def test_models_are_made_from_their_rows() -> None:
    """Wide rows are made in a fifth of the time; what a model did while it is made would not happen (kernel/database/from_row.py)."""
    ours = [model for model in our_models() if not model._meta.auto_created and model is not User]
    assert [model._meta.label for model in ours if not issubclass(model, FromRow)] == []
    assert [model._meta.label for model in ours if model.__init__ is not Model.__init__] == []
    heard = [model._meta.label for model in ours for made in (pre_init, post_init) if made.has_listeners(model)]
    assert heard == []


def test_foreign_keys_point_down_or_stay_in_the_app() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in our_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and isinstance(field.related_model, type)
        if not _allowed(model, field.related_model)
    ]
    assert wrong == []


def test_tables_that_name_a_resident_stand_behind_the_wall() -> None:
    open_tables = {
        model._meta.label
        for model in our_models()
        if {"resident", "resident_id"} & {field.name for field in model._meta.get_fields() if not field.auto_created}
        and declared(model) is None
    }
    assert open_tables == set(exceptions.OPEN_TABLES)


def test_tables_that_name_a_resident_say_what_becomes_of_their_rows_when_two_are_merged() -> None:
    """A model with a resident declares `when_merged = Moves(...)` or `Stays(...)`: doorstep/kernel/access/merging.py."""
    forgotten = {
        model._meta.label
        for model in our_models()
        if _names_a_resident(model) and not isinstance(getattr(model, "when_merged", None), Moves | Stays)
    }
    assert forgotten == set()


def test_rows_that_move_can_be_written_and_append_only_rows_stay() -> None:
    for model in our_models():
        declared_fate = getattr(model, "when_merged", None)
        if isinstance(declared_fate, Moves):
            assert not getattr(model, "append_only", False), model._meta.label
            writable = getattr(model, "app_privileges", None) is None
            assert writable is not declared_fate.by_owner, model._meta.label
            columns = {field.attname for field in model._meta.concrete_fields}
            wanted = {
                declared_fate.column,
                *declared_fate.also,
                *(name for group in declared_fate.unless for name in group),
            }
            assert wanted <= columns, model._meta.label


def _names_a_resident(model: type[Model]) -> bool:
    return any(
        field.related_model is Resident
        or (field.name.endswith("resident_id") and not isinstance(field, ManyToOneRel | ManyToManyRel))
        for field in model._meta.get_fields()
        if not (field.auto_created and not field.concrete)
    )


@pytest.mark.django_db
def test_every_declared_wall_stands_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.tablename FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename"
            " WHERE p.policyname = %s AND c.relrowsecurity",
            [POLICY],
        )
        walls = {table for (table,) in cursor.fetchall()}
    assert walls == {model._meta.db_table for model in our_models() if declared(model) is not None}


@pytest.mark.django_db
def test_the_application_cannot_change_what_is_append_only() -> None:
    held = _held_privileges()
    for model in our_models():
        if getattr(model, "append_only", False):
            assert held[model._meta.db_table] <= {"SELECT", "INSERT"}, model._meta.label


@pytest.mark.django_db
def test_the_application_reaches_no_partition_past_its_parent() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        partitions = {name for (name,) in cursor.fetchall()}
    assert not partitions & set(_held_privileges())


@pytest.mark.django_db
def test_the_application_is_a_role_without_powers() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
            " (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid)"
            " FROM pg_roles r WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False, 0)


def test_the_application_cannot_truncate(owner_connection: psycopg.Connection) -> None:
    row = owner_connection.execute(
        "SELECT count(*) FROM information_schema.role_table_grants"
        " WHERE grantee = 'doorstep_app' AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES')"
    ).fetchone()
    assert row == (0,)


def _held_privileges() -> dict[str, set[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = current_user"
        )
        held: dict[str, set[str]] = {}
        for table, privilege in cursor.fetchall():
            held.setdefault(table, set()).add(privilege)
    return held


def _allowed(model: type[Model], target: type[Model]) -> bool:
    if _layer(target) < _layer(model) or _app(model) == _app(target):
        return True
    package = ".".join(model.__module__.split(".")[:2])
    order = ORDERED.get(package, ())
    names = _app(model).rsplit(".", 1)[-1], _app(target).rsplit(".", 1)[-1]
    return package == ".".join(target.__module__.split(".")[:2]) and (
        # The kernel is one unit whose inner order import-linter keeps.
        package == "doorstep.kernel" or (set(names) <= set(order) and order.index(names[1]) < order.index(names[0]))
    )


def _layer(model: type[Model]) -> int:
    parts = model.__module__.split(".")
    return LAYERS.index(parts[1]) if parts[0] == "doorstep" else FOUNDATION


def _app(model: type[Model]) -> str:
    config = apps.get_app_config(model._meta.app_label)
    return str(config.name)


def test_no_index_repeats_the_beginning_of_another() -> None:
    """A relation brings an index; where a list or a rule has one that begins with it, the first is only written, never read."""
    repeated = {
        f"{model._meta.label}.{field.name}: db_index=False"
        for model in our_models()
        for field in model._meta.local_fields
        if getattr(field, "db_index", False) and not field.unique and field.name in _beginnings(model)
    }
    assert repeated == set()


def _beginnings(model: type[Model]) -> set[str]:
    """The first columns of whole indexes: partial ones and other kinds than the B-tree do not serve every question."""
    lists = [index for index in model._meta.indexes if type(index) is Index and index.fields and not index.condition]
    rules = [rule for rule in model._meta.constraints if isinstance(rule, UniqueConstraint) and rule.condition is None]
    listed = {index.fields[0].lstrip("-") for index in lists if not index.opclasses}
    return listed | {rule.fields[0] for rule in rules if rule.fields}


@pytest.mark.django_db
def test_every_rule_and_index_of_a_model_is_in_the_database() -> None:
    """A migration that takes an index away can take a rule's along: Django looks for it by its columns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION SELECT relname FROM pg_class WHERE relkind IN ('i', 'I') AND relnamespace = 'public'::regnamespace"
        )
        there = {name for (name,) in cursor.fetchall()}
    wanted = {rule.name for model in our_models() for rule in (*model._meta.constraints, *model._meta.indexes)}
    assert wanted - there == set()
