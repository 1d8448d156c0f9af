"""Jobs of the index of people."""

from typing import Any

from django.core.management import call_command
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.people.identity import searching


@app.task(name=searching.JOB, queue="default", retry=RetryStrategy(max_attempts=3, wait=60))
def find_doubles(**ignored: Any) -> None:
    """Search the whole index. By the command, and apart: its engines are loaded where a search runs, and go when it ends."""
    call_command("find_doubles", apart=True)
