"""Files and system user of the embedded server: where the cluster lives, who may read it, how it is first made."""

import contextlib
import errno
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SUPERUSER = "postgres"
SOCKET_PORT = 5432
# PostgreSQL refuses to run as root; where we are root, the server runs as this system user.
SYSTEM_USER = "doorstep-database"
# Linux cuts the path of a unix socket at 107 bytes; the name inside the directory is ".s.PGSQL.65535" at most.
SOCKET_PATH_BYTES = 107 - len("/.s.PGSQL.65535")


class EmbeddedError(RuntimeError):
    """The embedded server cannot do what was asked; the text is for the person at the terminal."""


def cluster(directory: Path) -> Path:
    """The folder of PostgreSQL's own files."""
    return directory / "postgres"


def pid_file(directory: Path) -> Path:
    """The file in which the running postmaster writes its process id and state."""
    return cluster(directory) / "postmaster.pid"


def log_file(directory: Path) -> Path:
    """The server's log."""
    return cluster(directory) / "server.log"


def socket_directory(directory: Path) -> Path:
    """A folder for the socket, short enough for the operating system and closed to other users."""
    wanted = cluster(directory) / "socket"
    if len(os.fsencode(wanted)) <= SOCKET_PATH_BYTES:
        return wanted
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/tmp") / f"doorstep-{digest}"  # noqa: S108  mode 700 and its owner are checked in prepare


def prepare(directory: Path, *, program: Path) -> None:
    """Make the cluster when there is none, and let the server's system user reach it."""
    account = server_account()
    if account is not None:
        _let_through(cluster(directory))
        _let_through(program)
    if not (cluster(directory) / "PG_VERSION").exists():
        _initialize(directory, program=program, account=account)
    sockets = socket_directory(directory)
    with contextlib.suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
        _give(sockets, account)
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != (account.pw_uid if account else os.geteuid()):
        raise EmbeddedError(f"{sockets} belongs to somebody else: remove it or choose a shorter --data.")
    sockets.chmod(0o700)


def write_settings(directory: Path, settings: Mapping[str, str]) -> None:
    """Write postgresql.conf and the two access files; they are ours, an operator's additions go to local.conf."""
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    lines.append("include_if_exists = 'local.conf'")
    ourselves = {pwd.getpwuid(os.geteuid()).pw_name}
    account = server_account()
    if account is not None:
        ourselves.add(account.pw_name)
    access = [
        f"local all {SUPERUSER} peer map=bootstrap",
        "local all all scram-sha-256",
        f"host all {SUPERUSER} 127.0.0.1/32 reject",
        "host all all 127.0.0.1/32 scram-sha-256",
    ]
    names = [f'bootstrap "{name}" {SUPERUSER}' for name in sorted(ourselves)]
    for file, content in (("postgresql.conf", lines), ("pg_hba.conf", access), ("pg_ident.conf", names)):
        path = cluster(directory) / file
        path.write_text("\n".join(content) + "\n", encoding="utf-8")
        path.chmod(0o600)
        _give(path, account)


def run_as_server(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a program as the system user of the server and return how it ended."""
    account = server_account()
    words = [str(word) for word in command]
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    # Files instead of pipes: the postmaster inherits them and a pipe would never reach its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    return subprocess.CompletedProcess(words, done.returncode, stdout=said, stderr=said)


def server_account() -> pwd.struct_passwd | None:
    """The system user that runs the server when we are root, made on first need; None means we run it ourselves."""
    if os.geteuid() != 0:
        return None
    for attempt in ("look", "make", "look again"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        if attempt == "make":
            command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
            # Another start may be making the same user right now; the next look tells.
            with contextlib.suppress(FileNotFoundError):
                subprocess.run(command, capture_output=True, check=False)
    raise EmbeddedError(f"PostgreSQL cannot run as root and the user {SYSTEM_USER} cannot be made; use a plain user.")


@contextlib.contextmanager
def sentences(directory: Path) -> Iterator[None]:
    """Turn what the operating system refuses about the directory into a sentence with a cure."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: f"The disk of {directory} is full: free some space or choose another --data.",
            errno.EDQUOT: f"The disk quota of {directory} is used up: free some space or choose another --data.",
            errno.EROFS: f"{directory} is on a read-only disk: choose another --data.",
            errno.EACCES: f"{directory} is not writable for you: choose another --data or change its owner.",
            errno.EPERM: f"{directory} is not writable for you: choose another --data or change its owner.",
            errno.EEXIST: f"{directory} is a file, not a directory: choose another --data.",
            errno.ENOTDIR: f"A part of {directory} is a file, not a directory: choose another --data.",
        }
        sentence = reasons.get(error.errno or 0)
        if sentence is None:
            raise
        raise EmbeddedError(sentence) from error


def _initialize(directory: Path, *, program: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster beside its place and move it there whole, so that a killed start leaves no half cluster."""
    fresh = directory / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _give(fresh, account)
    options = ["--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "scram-sha-256"]
    # The password file only satisfies initdb: pg_hba.conf admits the superuser through the socket by system user.
    password = directory / "postgres.password"
    password.touch(mode=0o600)
    password.write_text(os.urandom(24).hex() + "\n", encoding="ascii")
    _give(password, account)
    done = run_as_server([program, "-D", fresh, *options, "--pwfile", password])
    password.unlink()
    if done.returncode != 0:
        raise EmbeddedError(f"The database could not be made in {directory}:\n{done.stderr.strip()[-1500:]}")
    fresh.rename(cluster(directory))


def _let_through(path: Path) -> None:
    """Let other users pass (not list) the folders above, as the server's system user must reach its files."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _give(path: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
