"""How a thing becomes resources of the record: each machine's mapping, installed once by the site."""

from collections.abc import Callable, Mapping
from typing import Any

from doorstep.kernel.record.publishing import Published

_mappings: dict[str, Callable[[Any], list[Published]]] = {}


def install(mappings: Mapping[str, Callable[[Any], list[Published]]]) -> None:
    """Install the mapping of every machine: {"referral": to_resources}."""
    _mappings.update(mappings)


def resources_of(item: Any) -> list[Published]:
    """The resources that show this thing as it is now; empty for a machine that publishes none."""
    mapping = _mappings.get(item.machine.name)
    return mapping(item) if mapping else []
