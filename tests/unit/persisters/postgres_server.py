"""A PostgreSQL server for tests: a cluster in a temporary directory, on a free port, while it is needed."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

PATIENCE_SECONDS = 30.0
UNTIL_END_OF_INPUT = '"$@" & cat; kill -QUIT $!; wait'
"""Ends the server also when whoever started it was killed."""
INSTALL = "PostgreSQL is needed: `apt-get install postgresql`"
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}


class PostgresServer:
    """Runs while it is entered. It trusts everybody on this machine; ``postgres`` is the superuser."""

    def __init__(self) -> None:
        self._binaries = _binaries()
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="durabase-postgres-"))
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._make_cluster()
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
        place = [f"-D{self._data}", f"-p{self.port}", f"-k{self._folder}", "-clisten_addresses=127.0.0.1"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", UNTIL_END_OF_INPUT, "sh", f"{self._binaries}/postgres", *place, *options],
                cwd=self._folder,
                user=self._user,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End as if by a power cut."""
        assert self._process is not None
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def database(self) -> Database:
        """The database, emptied. To make one for each test would take most of the time."""
        database = Database(self.url())
        database.cut_others_off()
        database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return database

    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _make_cluster(self) -> None:
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [f"{self._binaries}/initdb", f"--pgdata={self._data}", *options],
            cwd=self._folder,
            user=self._user,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            assert time.monotonic() < deadline, self._log.read_text("utf-8", "replace")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True


class Database:
    """A database, with a connection to look into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql.encode()).fetchall()

    def functions(self) -> list[str]:
        """The names of the functions that somebody made."""
        sql = "SELECT proname FROM pg_proc WHERE pronamespace='public'::regnamespace ORDER BY proname"
        return [name for (name,) in self.run(sql)]

    def cut_others_off(self) -> None:
        """End all other connections to this database."""
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE backend_type='client backend' AND pid<>pg_backend_pid()"
        )

    def close(self) -> None:
        self._connection.close()


def _binaries() -> str:
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(os.path.dirname(os.path.realpath(on_path)))
    assert folders, INSTALL
    return max(folders, key=_version)


def _version(folder: str) -> float:
    name = Path(folder).parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _user() -> str | None:
    """Whom to run the server as: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
