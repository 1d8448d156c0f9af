"""Migrations of an empty database without rendering every model anew after every step.

Django keeps classes of all models beside the state of a plan, and after each operation builds those anew that are tied to the
changed one by foreign keys, in either direction and over any number of steps. Here that is nearly all: 14,000 classes for 160
migrations, nine tenths of the time of a first start. Laying tables only asks for the changed model and for the tables that it
points at; an operation that asks for more (RunPython) renders all of them again, as Django does after its own shortcuts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

HOOK = "_find_reload_model"


def _only_itself(state: ProjectState, app_label: str, model_name: str, _delay: bool) -> set[tuple[str, str]]:
    state.is_delayed = True
    return {(app_label, model_name)}


@contextmanager
def light_states() -> Iterator[None]:
    """While this is entered, and the database is empty, a changed model is rendered alone."""
    # It is Django's own hook for this, but a private one: where a new Django has another, migrations are slow again and right.
    usual = getattr(ProjectState, HOOK, None)
    if usual is None or MigrationRecorder(connection).applied_migrations():
        yield
        return
    setattr(ProjectState, HOOK, _only_itself)
    try:
        yield
    finally:
        setattr(ProjectState, HOOK, usual)
