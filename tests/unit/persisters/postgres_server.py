"""A PostgreSQL server for tests: a cluster in a temporary directory, on a free port, while it is needed."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

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
        self.port = _free_port()

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._run(
            "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"
        )
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        place = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder}/log", f"--options={place} {options}")

    def stop(self) -> None:
        """End as if by a power cut."""
        self._run("pg_ctl", "stop", "--mode=immediate")

    def database(self) -> Database:
        """The database, emptied. To make one for each test would take most of the time."""
        database = Database(self.url())
        database.cut_others_off()
        database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return database

    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        command = [f"{self._binaries}/{program}", f"--pgdata={self._data}", *arguments]
        with tempfile.TemporaryFile() as output:  # the server inherits it, so a pipe would never end
            done = subprocess.run(
                command, cwd=self._folder, user=self._user, stdout=output, stderr=output, timeout=60
            )
            output.seek(0)
            assert done.returncode == 0, output.read().decode("utf-8", "replace")


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
