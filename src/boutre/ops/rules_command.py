"""
``boutre rules``: the alarms of this bus, as Prometheus reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from boutre.errors import Fault
from boutre.ops.access import FOLLOWERS
from boutre.ops.alarms import declared
from boutre.ops.alarms.declared import AlarmsFile, Each
from boutre.ops.alarms.rules import text
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.processors.pipeline import Pipeline
from boutre.topics.strict import raise_all


@click.command(epilog="Example: boutre rules > ops/prometheus/alarms.yml && promtool check rules ops/prometheus/alarms.yml")
@click.option("--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="File to write.  [default: stdout]")
@with_settings
def rules(settings: Settings, path: Path | None) -> None:
    """
    Write the alarms of processors/alarms.toml as rules for Prometheus: thresholds, both languages, runbooks.
    """
    root = settings.folder()
    written = text(alarms(root), names(assemble(root).pipeline))
    if path is None:
        click.echo(written, nl=False)
    else:
        path.write_text(written, encoding="utf-8")


def alarms(root: Path) -> AlarmsFile:
    """
    Read the alarms of the bus at *root*. Raises DeclarationError where there are none, or something is wrong with them.
    """
    faults: list[Fault] = []
    file = declared.load(root, faults)
    if file is None and not faults:
        faults.append(Fault(declared.FILE, "", "is missing; without it there are no alarms"))
    raise_all(faults)
    assert file is not None  # else there were faults
    return file


def names(pipeline: Pipeline) -> Mapping[Each, Sequence[str]]:
    """
    What alarms are given once for each of.
    """
    return {"processor": [edge.name for edge in pipeline.edges], "follower": list(FOLLOWERS)}
