"""
Quotas of users on a cluster, read and set by Kafka's own tool (`kafka-configs`), since librdkafka has no call for them.

It runs on the Java and the jars of the embedded broker (`pip install "boutre[broker]"`). What it needs to sign in goes to it by a
file that only this user may read, and that is gone afterwards: a list of processes shows no password.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from boutre.errors import Unavailable
from boutre.ops import jars
from boutre.ops.quotas import Quota

_TOOL: Final = "kafka.admin.ConfigCommand"
_LINE: Final = re.compile(r"^Quota configs for user-principal '([^']*)' are (.*)$")
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"
_PATIENCE_S: Final = 90


class QuotasTool:
    """
    Kafka's tool for one cluster, reached by librdkafka's settings (`settings.kafka.client()`).
    """

    def __init__(self, config: Mapping[str, Any], *, cache: Path | None = None, repository: str | None = None) -> None:
        self._config = config
        classpath = ":".join(map(str, jars.kafka(cache=cache, repository=repository)))
        self._java = (str(jars.java()), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath, _TOOL)

    def found(self) -> dict[str, dict[str, float]]:
        """
        Give the quotas of all users that have any, by Kafka's names.

        Raises:
            Unavailable: the cluster does not answer, or refuses this user.
        """
        said = self._run(["--describe", "--entity-type", "users"])
        return {name: _configs(told) for line in said.splitlines() for name, told in _LINE.findall(line)}

    def set(self, some: Iterable[Quota], done: Callable[[str], None] = lambda _line: None) -> None:
        """
        Set quotas, one after another; what this bus does not declare of a user's is left as it is.

        Raises:
            Unavailable: the cluster does not answer, or refuses this user; those before stay set.
        """
        for quota in some:
            told = ",".join(f"{name}={value:.0f}" for name, value in quota.configs.items())
            self._run(["--alter", "--entity-type", "users", "--entity-name", quota.principal, "--add-config", told])
            done(f"quota of {quota.principal}")

    def _run(self, words: Sequence[str]) -> str:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".properties") as file:  # readable by its owner alone
            file.write("".join(f"{name}={_escaped(value)}\n" for name, value in properties(self._config).items()))
            file.flush()
            told = ["--bootstrap-server", str(self._config["bootstrap.servers"]), "--command-config", file.name]
            try:
                ran = subprocess.run(  # noqa: S603 - Java and jars from the cache
                    [*self._java, *told, *words], capture_output=True, text=True, check=False, timeout=_PATIENCE_S
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(f"kafka-configs did not come to an end within {_PATIENCE_S} s; does Kafka answer?") from None
        if ran.returncode != 0:
            lines = [line for line in (*ran.stdout.splitlines(), *ran.stderr.splitlines()) if "rror" in line or "xception" in line]
            raise Unavailable(f"kafka-configs could not do it: {lines[0].strip() if lines else 'it did not say why'}")
        return ran.stdout


def properties(config: Mapping[str, Any]) -> dict[str, str]:
    """
    Give librdkafka's settings of how to sign in as those of Kafka's Java client.
    """
    found = {"security.protocol": str(config.get("security.protocol", "PLAINTEXT")), "default.api.timeout.ms": "30000"}
    if mechanism := config.get("sasl.mechanism"):
        module = _SCRAM if str(mechanism).startswith("SCRAM") else _PLAIN
        user, password = (_quoted(str(config[f"sasl.{name}"])) for name in ("username", "password"))
        found |= {"sasl.mechanism": str(mechanism), "sasl.jaas.config": f"{module} required username={user} password={password};"}
    if authority := config.get("ssl.ca.location"):
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(authority)}
    if certificate := config.get("ssl.certificate.location"):
        found |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": Path(certificate).read_text(encoding="ascii"),
            "ssl.keystore.key": Path(str(config["ssl.key.location"])).read_text(encoding="ascii"),
        }
        if secret := config.get("ssl.key.password"):
            found["ssl.key.password"] = str(secret)
    return found


def _configs(told: str) -> dict[str, float]:
    pairs = (pair.partition("=") for pair in told.split(", ") if "=" in pair)
    return {name: float(value) for name, _, value in pairs if name.endswith(("_rate", "_percentage"))}


def _quoted(text: str) -> str:
    """A text as a login module's option has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """A value as Java's properties have it."""
    return text.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n")
