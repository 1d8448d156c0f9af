"""The first thing that another process of the bench does; imports nothing that needs Django to stand already."""

import django


def stand() -> None:
    """Make Django ready in a spawned process, before a function of ours is handed to it."""
    django.setup()
