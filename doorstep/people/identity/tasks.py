"""Jobs of the index of people."""

from typing import Any

from django.core.management import call_command
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.people.identity import listing, searching


@app.task(name=searching.JOB, queue="default", retry=RetryStrategy(max_attempts=3, wait=60))
def find_doubles(**ignored: Any) -> None:
    """Search the whole index. By the command, and apart: its engines are loaded where a search runs, and go when it ends."""
    call_command("find_doubles", apart=True)


@app.task(name=listing.JOB, queue="default", retry=RetryStrategy(max_attempts=3, wait=60))
def link_patient_list(list_id: int, **ignored: Any) -> None:
    """Link an uploaded list, by its command and apart for the same reason."""
    call_command("link_uploaded", str(list_id), apart=True)
