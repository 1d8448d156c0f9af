"""Backup and restore: one file with the database and the installation's secrets, both sealed by a passphrase.

The file is a tar archive of two parts, each under AES-256-GCM with a key that scrypt makes from the passphrase and a salt of its own.
secrets.sealed: 16 bytes of salt, 12 bytes of nonce, then secrets.json. database.sealed: 16 bytes of salt, 7 bytes of nonce, then pg_dump's
custom format in pieces of 1 MiB, whose nonces end with their number and with whether each is the last one (the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár, 2015): no piece can be changed, moved or cut off unseen. Older backups hold database.dump in the clear.
"""

import io
import json
import os
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from doorstep.kernel.database import embedded, secrets
from doorstep.site.installation import Installation, InstallationError

SALT_BYTES = 16
NONCE_BYTES = 12
PIECE_BYTES = 1024 * 1024
_PREFIX_BYTES = 7
_TAG_BYTES = 16
_DAMAGED = "The passphrase is not the one of this backup, or the file is damaged."


def backup(installation: Installation, *, target: Path, passphrase: str) -> None:
    """Write the backup beside its place and rename it, so that a broken backup never has a good one's name."""
    address, password = _owner(installation)
    fresh = target.with_name(target.name + ".new")
    with tempfile.TemporaryDirectory(dir=installation.directory) as folder:
        dump = Path(folder) / "database.dump"
        # The extensions belong to the server; a restored server has its own.
        arguments = ["--format=custom", "--exclude-extension=*", "--file", str(dump), address]
        done = embedded.run_program("pg_dump", arguments, environment=password)
        if done.returncode != 0:
            raise InstallationError(f"The database could not be written down:\n{done.stderr.strip()}")
        whole = Path(folder) / "database.sealed"
        seal_file(dump, whole, passphrase=passphrase)
        dump.unlink()
        sealed = seal((installation.directory / "secrets.json").read_bytes(), passphrase=passphrase)
        # In a folder that others write to, a file or a link of that name may lie there for us to fill: never into it.
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(whole, "database.sealed")
            entry = tarfile.TarInfo("secrets.sealed")
            entry.size = len(sealed)
            archive.addfile(entry, io.BytesIO(sealed))
    fresh.rename(target)


def restore(installation: Installation, *, source: Path, passphrase: str) -> None:
    """Fill a new directory from a backup; one that has a database already is refused."""
    if (installation.directory / "secrets.json").exists():
        raise InstallationError(f"{installation.directory} has an installation: restore into a new directory (--data).")
    installation.check_directory()
    with tempfile.TemporaryDirectory(dir=installation.directory) as folder:
        dump = Path(folder) / "database.dump"
        try:
            with tarfile.open(source) as archive:
                archive.extractall(folder, filter="data")
            opened = unseal((Path(folder) / "secrets.sealed").read_bytes(), passphrase=passphrase)
            if not dump.exists():
                whole = Path(folder) / "database.sealed"
                unseal_file(whole, dump, passphrase=passphrase)
                whole.unlink()
        except (tarfile.TarError, FileNotFoundError) as error:
            raise InstallationError(
                f"{source} is not a backup of Doorstep: choose the file that backup wrote."
            ) from error
        kept = {name: value for name, value in json.loads(opened).items() if name in secrets.KEYS}
        secrets.write(installation.directory / "secrets.json", kept)
        installation.start_database()
        address, password = _owner(installation)
        arguments = ["--exit-on-error", "--no-owner", "--no-privileges", "--dbname", address]
        done = embedded.run_program("pg_restore", [*arguments, str(dump)], environment=password)
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
        raise InstallationError(_DAMAGED) from error


def seal_file(source: Path, target: Path, *, passphrase: str) -> None:
    """Encrypt a file of any length under a passphrase."""
    salt, prefix = os.urandom(SALT_BYTES), os.urandom(_PREFIX_BYTES)
    cipher = AESGCM(_key(passphrase, salt))
    with source.open("rb") as plain, target.open("xb") as sealed:
        sealed.write(salt + prefix)
        piece, number = plain.read(PIECE_BYTES), 0
        while True:
            following = plain.read(PIECE_BYTES)
            sealed.write(cipher.encrypt(_nonce(prefix, number, is_last=not following), piece, None))
            if not following:
                return
            piece, number = following, number + 1


def unseal_file(source: Path, target: Path, *, passphrase: str) -> None:
    """Decrypt what seal_file made; raises InstallationError for another passphrase or a file that was changed or cut off."""
    with source.open("rb") as sealed, target.open("xb") as plain:
        salt, prefix = sealed.read(SALT_BYTES), sealed.read(_PREFIX_BYTES)
        cipher = AESGCM(_key(passphrase, salt))
        piece, number = sealed.read(PIECE_BYTES + _TAG_BYTES), 0
        while True:
            following = sealed.read(PIECE_BYTES + _TAG_BYTES)
            try:
                plain.write(cipher.decrypt(_nonce(prefix, number, is_last=not following), piece, None))
            except (InvalidTag, ValueError) as error:
                raise InstallationError(_DAMAGED) from error
            if not following:
                return
            piece, number = following, number + 1


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def _owner(installation: Installation) -> tuple[str, dict[str, str]]:
    """The owner's address without its password, and the password as a variable: everybody on a machine reads a program's arguments."""
    given = os.environ.get("DATABASE_URL_OWNER", "")
    if not given:
        found: dict[str, str] = json.loads((installation.directory / "secrets.json").read_text(encoding="utf-8"))
        given = found["database_url_owner"]
    return without_password(given)


def without_password(address: str) -> tuple[str, dict[str, str]]:
    """An address of a database without its password, and the password as libpq's variable, if there is one."""
    parts = urlsplit(address)
    if parts.password is None:
        return address, {}
    user, _at, host = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
    # An address without a host keeps its two slashes: urlunsplit gives them back only for schemes that it knows.
    text = f"{bare.scheme}://{bare.netloc}{bare.path}" + (f"?{bare.query}" if bare.query else "")
    return text, {"PGPASSWORD": unquote(parts.password)}
