"""
``boutre dashboards``: what is drawn of this bus, as Grafana imports it.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from boutre.errors import Fault
from boutre.language import LANGUAGES
from boutre.ops.command import with_settings
from boutre.ops.panels import declared
from boutre.ops.panels.declared import DashboardsFile
from boutre.ops.panels.grafana import grafana
from boutre.ops.settings import Settings
from boutre.topics.strict import raise_all


@click.command(epilog="Example: boutre dashboards ops/grafana/dashboards")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_settings
def dashboards(settings: Settings, folder: Path) -> None:
    """
    Write the dashboards of processors/dashboards.toml into FOLDER, a JSON file for each in English and in French.

    Grafana imports them as they are, and asks which Prometheus to take.
    """
    for name, text in files(drawn(settings.folder())).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(path, err=True)


def files(file: DashboardsFile) -> dict[str, str]:
    """
    Give each file by its name below the folder.
    """
    return {
        f"{language}/{one.name}.json": json.dumps(grafana(one, language), indent=2, ensure_ascii=False) + "\n"
        for language in LANGUAGES
        for one in file.dashboard
    }


def drawn(root: Path) -> DashboardsFile:
    """
    Read the dashboards of the bus at *root*. Raises DeclarationError where there are none, or something is wrong with them.
    """
    faults: list[Fault] = []
    file = declared.load(root, faults)
    if file is None and not faults:
        faults.append(Fault(declared.FILE, "", "is missing; without it nothing is drawn"))
    raise_all(faults)
    assert file is not None  # else there were faults
    return file
