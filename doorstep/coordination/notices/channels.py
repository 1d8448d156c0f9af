"""Ways to reach a person outside the page: text message, WeChat. None is wired: a consortium brings its provider."""

from collections.abc import Mapping
from typing import Any, Protocol


class Channel(Protocol):
    """A provider that carries a notice to somebody who is not at a page.

    It gets the kind and its parameters, never a diagnosis, and answers by raising when it could not deliver.
    """

    name: str

    def deliver(self, *, audience: str, kind: str, params: Mapping[str, Any], urgent: bool) -> None:
        """Send to an audience ("user:12", "organization:5", "resident:7")."""


_channels: list[Channel] = []


def install(channels: list[Channel]) -> None:
    """Wire the providers of this installation; the last list counts."""
    _channels[:] = channels


def deliver(*, audience: str, kind: str, params: Mapping[str, Any], urgent: bool) -> None:
    """Hand a notice to every wired channel."""
    for channel in _channels:
        channel.deliver(audience=audience, kind=kind, params=params, urgent=urgent)
