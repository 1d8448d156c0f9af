"""What the workers of a test run would each wait for or do once more: the template of the database, the compiled pages."""

import os

import django

from tests import database_run, templates_run


def prepare() -> None:
    """Make both and keep them."""
    os.environ["DJANGO_SETTINGS_MODULE"] = database_run.SETTINGS
    run = database_run.begin()
    try:
        database_run.template(run)
        django.setup()
        templates_run.compile_all()
    finally:
        database_run.end(run)


if __name__ == "__main__":
    prepare()
