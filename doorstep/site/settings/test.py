"""Tests: the embedded server in a directory of the run, cheap password hashing, nothing else different."""

import os

from doorstep.site.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEMO = True

# Each test worker has a database of its own; a pool would keep connections open while it is made anew.
DATABASES["default"]["OPTIONS"].pop("pool", None)

# Each test worker is a machine of its own, whose clients nobody else counts.
FHIR_LIMITS = DATA / f"fhir-limits-{os.getpid()}"

# Tests log in by force_login; the tests of the rule turn it on.
STAFF_NEED_MFA = False
