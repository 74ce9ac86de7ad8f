"""
The sinks of a run, where what they do can be seen: files of JSON lines, and the migration database in SQLite and in PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

BINARIES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
DATABASE: Final = "chaos"
VIEWS: Final = "SELECT view_id FROM record"


@dataclass(frozen=True, slots=True)
class Effect:
    """
    One sink of one recipient; *place* is its folder, or the URL of its database, and *keys* where that has its keys.
    """

    sink: str
    recipient: str
    place: str
    keys: Path | None = None

    @property
    def name(self) -> str:
        """By what it is told from the others: the sink's name, and the kind of database."""
        return self.sink if self.sink == "jsonl" else f"{self.sink}-{self.place.partition(':')[0]}"

    @property
    def options(self) -> tuple[str, ...]:
        """What the command is told."""
        said = [f"folder={self.place}" if self.sink == "jsonl" else f"url={self.place}"]
        said += [f"keys={self.keys}"] if self.keys else []
        return tuple(part for option in said for part in ("--set", option))

    def ids(self) -> list[str]:
        """Give the ids of all views that it holds, each as often as it is there."""
        if self.sink == "jsonl":
            files = sorted((Path(self.place) / self.recipient).glob("[!d]*.jsonl"))  # but for the dead letters
            # A line that is just being written has no end yet.
            lines = [line for path in files for line in path.read_bytes().split(b"\n")[:-1]]
            return [str(json.loads(line)["id"]) for line in lines]
        if self.place.startswith("sqlite"):
            path = self.place.removeprefix("sqlite:///")
            if not Path(path).exists():
                return []
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as file:
                return [str(row[0]) for row in file.execute(VIEWS)] if _has_tables(file) else []
        import psycopg  # noqa: PLC0415 - an extra, and there where a server is

        with psycopg.connect(self.place) as server:
            there = server.execute("SELECT to_regclass('record')").fetchone()
            return [str(row[0]) for row in server.execute(VIEWS)] if there and there[0] else []


def _has_tables(file: sqlite3.Connection) -> bool:
    return bool(file.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone())


def chosen(folder: Path, server: str | None) -> tuple[Effect, ...]:
    """
    Give the sinks of a run; *server* is the URL of a PostgreSQL, where there is one.
    """
    lines = [Effect("jsonl", recipient, str(folder / "views")) for recipient in ("rmifc", "comoros")]
    file = Effect("migration", "protection-partner", f"sqlite:///{folder / 'migration.sqlite'}")
    # Beside the one who cares for people, a centre whose every view goes into a database too.
    second = server or f"sqlite:///{folder / 'rcoc.sqlite'}"
    return (*lines, file, Effect("migration", "rcoc", second, folder / "rcoc.keys"))


@contextmanager
def postgresql() -> Iterator[str | None]:
    """
    Run a PostgreSQL with PostGIS for as long as this lasts and give the URL of an empty database; None where there is none here.
    """
    as_root = os.geteuid() == 0
    if not BINARIES or (as_root and shutil.which("runuser") is None):
        yield None
        return
    with TemporaryDirectory(prefix="boutre-postgresql-") as name, socket.socket() as free:
        if as_root:
            shutil.chown(name, "postgres")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def run(program: str, *arguments: str) -> bool:
            user = ["runuser", "-u", "postgres", "--"] if as_root else []
            command = [*user, str(BINARIES[-1] / program), *arguments]
            return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0

        data = ("-D", f"{name}/data")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        made = run("initdb", *data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C")
        if not (made and run("pg_ctl", *data, "-l", f"{name}/log", "-w", "-o", options, "start")):
            yield None
            return
        try:
            server = ("-h", "127.0.0.1", "-p", str(port), "-U", "postgres")
            ready = run("createdb", *server, DATABASE) and run("psql", *server, "-d", DATABASE, "-c", "CREATE EXTENSION postgis")
            yield f"postgresql://postgres@127.0.0.1:{port}/{DATABASE}" if ready else None
        finally:
            run("pg_ctl", *data, "-m", "immediate", "-w", "stop")
