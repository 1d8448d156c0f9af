"""One installation on this machine: its directory, its environment, its database, its management commands.

Runs before Django and its settings, which need the secrets that this makes.
"""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from doorstep.kernel.database import embedded, provision, secrets
from doorstep.kernel.database.embedded_layout import sentences

ROOT = Path(__file__).resolve().parents[2]
# Below this a first start would fill the disk half way; the database alone takes about as much.
FREE_BYTES = 300 * 1024 * 1024


class InstallationError(RuntimeError):
    """Something outside the program stands in the way; the text is for the person at the terminal."""


@dataclass(frozen=True)
class Installation:
    """The directory of an installation and the settings it runs with."""

    directory: Path

    @property
    def program_file(self) -> Path:
        """The digest of the program that last brought database and assets up to date."""
        return self.directory / "program"

    def program_file_says(self, digest: str) -> bool:
        """Whether the program with this digest was the last to serve the directory."""
        return self.program_file.exists() and self.program_file.read_text(encoding="utf-8") == digest

    @property
    def county_file(self) -> Path:
        """Says what the database was filled with: "seeding", "seeded N" or "empty"."""
        return self.directory / "county"

    @property
    def uses_embedded_database(self) -> bool:
        """Whether no other server is named in the environment."""
        return "DATABASE_URL" not in os.environ

    def check_directory(self) -> None:
        """Make the directory and see that it can be written to and has room."""
        with sentences(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            probe = self.directory / "probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
            if self.free_bytes() < FREE_BYTES:
                raise OSError(errno.ENOSPC, "no room")

    def free_bytes(self) -> int:
        """Room on the disk of the directory."""
        return shutil.disk_usage(self.directory).free

    def start_database(self) -> None:
        """Start the embedded server, or use the one that runs; make the secrets."""
        if self.uses_embedded_database:
            provision.start(self.directory)
        else:
            secrets.ensure(self.directory, server=embedded.Server(Path("/nonexistent"), 5432))

    def recreate_database(self) -> None:
        """Throw the embedded database away and make an empty one."""
        server = provision.start(self.directory)
        with psycopg.connect(server.superuser(), autocommit=True) as connection:
            name = sql.Identifier(secrets.DATABASE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        provision.start(self.directory)

    def environment(self, *, role: str = "app") -> dict[str, str]:
        """The environment of our processes."""
        given = dict(os.environ)
        given.setdefault("DJANGO_SETTINGS_MODULE", "doorstep.site.settings.demo")
        given["DOORSTEP_DATA"] = str(self.directory)
        given["DOORSTEP_DATABASE_ROLE"] = role
        given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), given.get("PYTHONPATH", "")]))
        given["PYTHONUNBUFFERED"] = "1"
        return given

    def run(self, command: str, *arguments: str, role: str = "app", quiet: bool = False) -> str:
        """Run a management command to its end; return what it printed when quiet, else let it print.

        Raises InstallationError when it fails, with its own words when it was quiet.
        """
        words = [sys.executable, "-m", "django", command, *arguments]
        output = subprocess.PIPE if quiet else None
        error = subprocess.STDOUT if quiet else None
        done = subprocess.run(
            words, env=self.environment(role=role), stdout=output, stderr=error, text=True, check=False
        )
        if done.returncode != 0:
            raise InstallationError((done.stdout or "").strip() or f"The command {command} failed; see above.")
        return done.stdout or ""


def has_command(name: str) -> bool:
    """Whether one of our apps brings this management command."""
    return any(ROOT.glob(f"doorstep/**/management/commands/{name}.py"))
