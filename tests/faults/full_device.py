"""The folder of counted tries on a device without room: every write is the kernel's own refusal (/dev/full)."""

from pathlib import Path
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache


class FullDevice(FileBasedCache):
    """Counts as ever, but each file's bytes go where no room is."""

    def set(self, key: Any, value: Any, timeout: Any = 0, version: int | None = None) -> None:
        """Write what there is no room for."""
        Path("/dev/full").write_bytes(b"x")
