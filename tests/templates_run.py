"""The compiled templates of the pages, kept in build/ for the workers of the tests and for the next runs."""

import jinja2
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from jinja2.bccache import FileSystemBytecodeCache

from tests import database_run

KEPT = database_run.ROOT / "build" / "test-templates"


def keep() -> jinja2.Environment:
    """Let the pages' environment take a template from the kept ones, or put it there; a changed template is compiled anew.

    What compiles templates has a folder for each of its states.
    """
    backend = engines["jinja2"]
    assert isinstance(backend, Jinja2)
    folder = KEPT / f"{jinja2.__version__}-{database_run.fingerprint('kernel/web/*.py')}"
    folder.mkdir(parents=True, exist_ok=True)
    environment: jinja2.Environment = backend.env
    environment.bytecode_cache = FileSystemBytecodeCache(str(folder))
    return environment


def compile_all() -> None:
    """Compile every template, so that no test waits for it."""
    environment = keep()
    for name in environment.list_templates():
        environment.get_template(name)
