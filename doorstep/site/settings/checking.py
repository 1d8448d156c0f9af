"""For the type checker alone: the shape of the settings without an installation behind it."""

import os
import tempfile
from pathlib import Path

_directory = Path(tempfile.mkdtemp(prefix="doorstep-checking-"))
(_directory / "secrets.json").write_text(
    '{"secret_key": "x", "field_key": "x", "blind_index_key": "x", "audit_key": "x", "identity_key": "x",'
    ' "database_url_app": "postgresql://app@localhost/doorstep"}',
    encoding="utf-8",
)
os.environ["DOORSTEP_DATA"] = str(_directory)

from doorstep.site.settings.base import *  # noqa: E402, F403

# Nothing is asked of a database: without this, a search for changed models waits for one.
DATABASES["default"] = {"ENGINE": "django.db.backends.dummy"}
