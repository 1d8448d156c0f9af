"""Backup and restore: one file with the database and, sealed by a passphrase, the installation's secrets.

The file is a tar archive of database.dump (pg_dump's custom format) and secrets.sealed: 16 bytes of salt, 12 bytes of
nonce, then secrets.json under AES-256-GCM with a key that scrypt makes from the passphrase.
"""

import io
import json
import os
import tarfile
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from doorstep.kernel.database import embedded, secrets
from doorstep.site.installation import Installation, InstallationError

SALT_BYTES = 16
NONCE_BYTES = 12


def backup(installation: Installation, *, target: Path, passphrase: str) -> None:
    """Write the backup beside its place and rename it, so that a broken backup never has a good one's name."""
    found = _owner(installation)
    fresh = target.with_name(target.name + ".new")
    with tempfile.TemporaryDirectory(dir=installation.directory) as folder:
        dump = Path(folder) / "database.dump"
        # The extensions belong to the server; a restored server has its own.
        arguments = ["--format=custom", "--exclude-extension=*", "--file", str(dump), found]
        done = embedded.run_program("pg_dump", arguments, environment={})
        if done.returncode != 0:
            raise InstallationError(f"The database could not be written down:\n{done.stderr.strip()}")
        sealed = seal((installation.directory / "secrets.json").read_bytes(), passphrase=passphrase)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(dump, "database.dump")
            entry = tarfile.TarInfo("secrets.sealed")
            entry.size = len(sealed)
            archive.addfile(entry, io.BytesIO(sealed))
    fresh.rename(target)


def restore(installation: Installation, *, source: Path, passphrase: str) -> None:
    """Fill a new directory from a backup; one that has a database already is refused."""
    if (installation.directory / "secrets.json").exists():
        raise InstallationError(f"{installation.directory} has an installation: restore into a new directory (--data).")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(folder, filter="data")
            opened = unseal((Path(folder) / "secrets.sealed").read_bytes(), passphrase=passphrase)
        except (tarfile.TarError, FileNotFoundError) as error:
            raise InstallationError(
                f"{source} is not a backup of Doorstep: choose the file that backup wrote."
            ) from error
        installation.check_directory()
        kept = {name: value for name, value in json.loads(opened).items() if name in secrets.KEYS}
        secrets.write(installation.directory / "secrets.json", kept)
        installation.start_database()
        arguments = ["--exit-on-error", "--no-owner", "--no-privileges", "--dbname", _owner(installation)]
        done = embedded.run_program("pg_restore", [*arguments, f"{folder}/database.dump"], environment={})
        if done.returncode != 0:
            raise InstallationError(f"The database could not be restored:\n{done.stderr.strip()}")
    installation.run("migrate_all", "--verbosity", "0", role="owner", quiet=True)
    installation.county_file.write_text("restored\n", encoding="utf-8")


def seal(content: bytes, *, passphrase: str) -> bytes:
    """Encrypt under a passphrase."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    return salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, content, None)


def unseal(content: bytes, *, passphrase: str) -> bytes:
    """Decrypt what seal made; raises InstallationError for another passphrase or a damaged file."""
    salt, nonce = content[:SALT_BYTES], content[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, content[SALT_BYTES + NONCE_BYTES :], None)
    except (InvalidTag, ValueError) as error:
        raise InstallationError("The passphrase is not the one of this backup, or the file is damaged.") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def _owner(installation: Installation) -> str:
    given = os.environ.get("DATABASE_URL_OWNER")
    if given:
        return given
    found: dict[str, str] = json.loads((installation.directory / "secrets.json").read_text(encoding="utf-8"))
    return found["database_url_owner"]
