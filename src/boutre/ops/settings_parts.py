"""
Groups of settings that stand by themselves: health, traces, the embedded broker.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from boutre.health import Limits


class Part(BaseModel):
    """
    A group of settings: a mistyped name is an error, never a default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Health(Part):
    """
    Ages, in seconds, beyond which a process says that it is not ready, or not healthy (docs/doctor.md).
    """

    broker_s: float = Field(default=30.0, gt=0, description="since the broker answered: not ready")
    work_s: float = Field(default=120.0, gt=0, description="since the broker answered, or waiting work got on: unhealthy")
    loop_s: float = Field(default=20.0, gt=0, description="since the loop of a process turned: unhealthy")
    start_s: float = Field(default=300.0, gt=0, description="that something is missing to be ready: unhealthy")

    def limits(self) -> Limits:
        """
        Give them as the processes hold them.
        """
        return Limits(self.broker_s, self.work_s, self.loop_s, self.start_s)


class Traces(Part):
    """
    Where traces of records go, by OpenTelemetry; nowhere unless told (docs/traces.md).
    """

    endpoint: str = Field(
        default="", pattern="^(https?://.+)?$", description="OTLP over HTTP, http://host:4318/v1/traces; empty: none"
    )
    ratio: float = Field(default=1.0, ge=0, le=1, description="share of records that a connector begins a trace with")


class Embedded(Part):
    """
    Where the jars of the embedded broker come from, and where they are kept.
    """

    cache: Path | None = Field(default=None, description="folder of the jars; default ~/.cache/boutre/kafka")
    repository: str | None = Field(default=None, description="Maven repository in place of Maven Central")
