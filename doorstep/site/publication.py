"""How each machine's things become resources of the record."""

from collections.abc import Callable
from typing import Any

from doorstep.kernel.record.publishing import Published

MAPPINGS: dict[str, Callable[[Any], list[Published]]] = {}
