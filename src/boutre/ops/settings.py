"""
Everything that differs from one machine to the next: read once, frozen, handed down; no module reads the environment.

From `BOUTRE_*` variables, nested by two underscores (`BOUTRE_KAFKA__BOOTSTRAP_SERVERS`), then from `boutre.toml` in the
working folder or else in the bus folder, then defaults. Secrets may stand in a file (`..._PASSWORD_FILE`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops.settings_parts import Embedded, Health, Part, Traces
from boutre.ops.standing import standing
from boutre.topics.strict import bus_folder, raise_all, table_of

PREFIX: Final = "BOUTRE_"
FILE: Final = "boutre.toml"

Language = Literal["en", "fr"]


class Kafka(Part):
    """
    How the cluster is reached, in librdkafka's terms, and how many copies of a topic it keeps.
    """

    bootstrap_servers: str = Field(default="", description="host:port, comma separated; empty: the embedded broker")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="PLAINTEXT is for this machine; a cluster of several States speaks SASL_SSL or SSL"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(default=None, description="with SASL_*")
    sasl_username: str | None = Field(default=None, description="with SASL_*")
    sasl_password: SecretStr | None = Field(default=None, description="with SASL_*; better in a file")
    sasl_password_file: Path | None = Field(default=None, description="the file that holds the password")
    ssl_ca_location: Path | None = Field(default=None, description="PEM of the authority that signed the brokers' certificates")
    ssl_certificate_location: Path | None = Field(default=None, description="PEM of this client's certificate (mTLS)")
    ssl_key_location: Path | None = Field(default=None, description="PEM of this client's key (mTLS)")
    ssl_key_password: SecretStr | None = Field(default=None, description="of that key; better in a file")
    ssl_key_password_file: Path | None = Field(default=None, description="the file that holds it")
    replication_factor: int | None = Field(default=None, ge=1, le=9, description="copies; default 1 embedded, 3 elsewhere")
    min_insync_replicas: int | None = Field(default=None, ge=1, le=9, description="default one less than the copies, at least 1")
    embedded: bool = Field(default=False, description="set by the bus when it uses its own broker")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.security_protocol.startswith("SASL"):
            lacking = [name for name in ("sasl_mechanism", "sasl_username") if getattr(self, name) is None]
            if self.sasl_password is None and self.sasl_password_file is None:
                lacking.append("sasl_password or sasl_password_file")
            if lacking:
                msg = f"security_protocol {self.security_protocol} needs {', '.join(lacking)}"
                raise ValueError(msg)
        elif self.sasl_username or self.sasl_mechanism or self.sasl_password or self.sasl_password_file:
            # Else a forgotten protocol would send everything in the clear, with a password set to protect it.
            msg = f"SASL is set, but security_protocol {self.security_protocol} does not use it; say SASL_SSL"
            raise ValueError(msg)
        if (self.ssl_certificate_location is None) != (self.ssl_key_location is None):
            msg = "ssl_certificate_location and ssl_key_location go together"
            raise ValueError(msg)
        if self.min_isr > self.replication:
            msg = f"min_insync_replicas {self.min_isr} cannot be met by replication_factor {self.replication}"
            raise ValueError(msg)
        return self

    @property
    def replication(self) -> int:
        """
        How many brokers keep a copy of each partition.
        """
        return self.replication_factor or (1 if self.embedded else 3)

    @property
    def min_isr(self) -> int:
        """
        How many of the copies must have a record before it counts as written.
        """
        return self.min_insync_replicas or max(1, self.replication - 1)

    def client(self) -> dict[str, Any]:
        """
        What librdkafka needs to reach the cluster; for admin clients, and the ground of the other two.

        Raises:
            Unavailable: no cluster is known.
            DeclarationError: a file that holds a secret cannot be read.
        """
        if not self.bootstrap_servers:
            raise Unavailable(
                "no Kafka is known; start one with `boutre kafka start`, "
                "or name a cluster: BOUTRE_KAFKA__BOOTSTRAP_SERVERS=host:port"
            )
        told = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": _secret(self.sasl_password, self.sasl_password_file, "SASL_PASSWORD_FILE"),
            "ssl.ca.location": _path(self.ssl_ca_location),
            "ssl.certificate.location": _path(self.ssl_certificate_location),
            "ssl.key.location": _path(self.ssl_key_location),
            "ssl.key.password": _secret(self.ssl_key_password, self.ssl_key_password_file, "SSL_KEY_PASSWORD_FILE"),
        }
        return {key: value for key, value in told.items() if value is not None}

    def producer(self) -> dict[str, Any]:
        """
        What every producer of the bus says: acknowledged by all copies, never twice, keys placed as Java places them.
        """
        return {**self.client(), "partitioner": "murmur2_random", "enable.idempotence": True, "acks": "all"}

    def consumer(self, group: str) -> dict[str, Any]:
        """
        What every consumer of the bus says: only what was committed, from the start, offsets moved by hand.
        """
        return {
            **self.client(),
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }


class Settings(BaseSettings):
    """
    The settings of one process.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    bus: Path | None = Field(default=None, description="folder of the bus; default the nearest upward that declares one")
    keys: Path = Field(default=Path(".boutre/keys"), description="folder of private and public keys")
    vault: Path | None = Field(default=None, description="folder of the vault of case keys; default vault in that of keys")
    state: Path = Field(default=Path(".boutre"), description="folder of what the bus remembers on this machine")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="port of /metrics; 0: a free one, said at start")
    metrics_address: str = Field(default="127.0.0.1", description="address that /metrics listens on; 0.0.0.0 in a container")
    language: Language = Field(default="en", description="en or fr; default from LC_ALL, LC_MESSAGES, LANG")
    kafka: Kafka = Field(default_factory=Kafka.model_construct)
    broker: Embedded = Field(default_factory=Embedded.model_construct)
    health: Health = Field(default_factory=Health.model_construct)
    traces: Traces = Field(default_factory=Traces.model_construct)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """
        The environment wins over what `load` hands in, which is the file and the defaults of this machine.
        """
        return (env_settings, init_settings)

    def folder(self) -> Path:
        """
        The folder of the bus.

        Raises:
            DeclarationError: none was named, and none is found upward from the working folder.
        """
        if self.bus is None:
            raise DeclarationError(
                [Fault(str(Path.cwd()), "", "declares no bus, nor does a folder above it; say --bus DIR or BOUTRE_BUS")]
            )
        return self.bus

    def using(self, bootstrap: str) -> Settings:
        """
        The same settings with an embedded broker at *bootstrap*.
        """
        return self.model_copy(update={"kafka": Kafka(bootstrap_servers=bootstrap, embedded=True)})


def load(*, bus: Path | None = None, language: Language | None = None) -> Settings:
    """
    Read the settings; *bus* and *language*, from the command line, win over everything.

    Raises:
        DeclarationError: all settings that cannot be used, each with its variable or its key in `boutre.toml`.
    """
    found = bus or _bus_from_environment() or bus_folder(Path.cwd())
    file = next((path for folder in (Path.cwd(), found) if folder and (path := folder / FILE).is_file()), None)
    faults: list[Fault] = []
    table = (table_of(file, faults) or {}) if file is not None else {}
    raise_all(faults)
    if found is not None:
        table.setdefault("bus", str(found))
    table.setdefault("language", _language(os.environ))
    try:
        settings = Settings(**table)
    except ValidationError as error:
        raise DeclarationError([_fault(detail["loc"], detail, file) for detail in error.errors()]) from None
    over: dict[str, Any] = {key: value for key, value in (("bus", bus), ("language", language)) if value is not None}
    if not settings.kafka.bootstrap_servers and (broker := standing(settings.state)) is not None:
        asked = settings.kafka.model_dump(exclude_unset=True) | {"bootstrap_servers": broker.bootstrap, "embedded": True}
        over["kafka"] = Kafka(**asked)
    return settings.model_copy(update=over)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """
    Variables that begin as settings do and are none: most likely mistyped. Those of the tests are known.
    """
    known = tuple(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)
    return sorted(
        name
        for name in environment
        if name.upper().startswith(PREFIX)
        and not name.upper().startswith(f"{PREFIX}TEST_")
        and not any(name.upper() == one or name.upper().startswith(f"{one}__") for one in known)
    )


def _bus_from_environment() -> Path | None:
    named = os.environ.get(f"{PREFIX}BUS")
    return Path(named) if named else None


def _language(environment: Mapping[str, str]) -> Language:
    # The first that is set decides, as POSIX has it.
    said = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "fr" if said.lower().startswith("fr") else "en"


def _fault(loc: tuple[str | int, ...], detail: Any, file: Path | None) -> Fault:
    words = [str(part) for part in loc]
    variable = PREFIX + "__".join(words).upper()
    said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    in_environment = any(name == variable or name.startswith(f"{variable}__") for name in os.environ)
    if in_environment or file is None:
        return Fault("environment", variable, said)
    return Fault(str(file), ".".join(words), said)


def _path(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _secret(value: SecretStr | None, file: Path | None, name: str) -> str | None:
    if file is None:
        return value.get_secret_value() if value is not None else None
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(
            [Fault("environment", f"{PREFIX}KAFKA__{name}", f"{file} cannot be read ({type(error).__name__})")]
        ) from None
