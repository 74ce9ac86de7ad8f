"""
The data folder of an embedded Kafka node: which cluster it belongs to, and how it is made ready for its first start.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from boutre.errors import Unavailable

_META: Final = "meta.properties"
_KEY: Final = "cluster.id="


def new_cluster_id() -> str:
    """
    Give an id for a new cluster, in the form that Kafka wants: a UUID in 22 characters of base 64.
    """
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
        if not made.startswith("-"):  # Kafka's own tools would take it for an option
            return made


def formatted(data: Path) -> bool:
    """
    Whether a folder was made ready before.
    """
    return (data / _META).exists()


def cluster_id(data: Path) -> str:
    """
    The cluster that a folder was made ready for.

    Raises:
        Unavailable: it names none.
    """
    for line in (data / _META).read_text(encoding="utf-8").splitlines():
        if line.startswith(_KEY):
            return line.removeprefix(_KEY)
    raise Unavailable(f"{data} names no cluster id; remove {data.parent} and start again")


def prepare(java: Sequence[str], data: Path, server: Path, cluster: str, users: Mapping[str, str] | None = None) -> None:
    """
    Make the folder *data* ready for a node that *server* (its ``server.properties``) describes, of the cluster *cluster*.

    *java* is the command up to the name of the class to run. *users* may sign in by SCRAM-SHA-512 from the first start on, each by
    its password (letters and digits); while this runs, whoever may list this machine's processes sees it.

    Raises:
        Unavailable: Kafka could not do it, and says why.
    """
    command = [*java, "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(server)]
    for name, password in (users or {}).items():
        command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - Java and jars from the cache
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip().splitlines()
        raise Unavailable(f"Kafka could not format {data}: {said[-1] if said else 'it did not say why'}")
