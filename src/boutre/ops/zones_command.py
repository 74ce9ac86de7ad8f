"""
``boutre zones``: which waters a position lies in, and who claims them.
"""

from __future__ import annotations

import json

import click

from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.topics import bus


@click.group(epilog="Example: boutre zones at --latitude -12.83 --longitude 45.15")
def zones() -> None:
    """Look up waters by a position: every zone that holds it, every claim on each, and no winner."""


@zones.command(epilog="Example: boutre zones at --latitude -12.83 --longitude 45.15 --output json")
@click.option("--latitude", type=click.FloatRange(-90, 90), required=True, help="Degrees WGS 84, south is negative.")
@click.option("--longitude", type=click.FloatRange(-180, 180), required=True, help="Degrees WGS 84, west is negative.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_settings
def at(settings: Settings, latitude: float, longitude: float, output: str) -> None:
    """Show every zone that holds a position, with each claim on it and its kind; agreements choose by what they declare."""
    declared = bus.load(settings.folder())
    found = [declared.zones[name] for name in declared.zones.at(latitude, longitude)]
    regions = {
        level: region for level in sorted(declared.regions.levels) if (region := declared.regions.at(level, latitude, longitude))
    }
    if output == "json":
        rows = [
            {
                "zone": zone.id,
                "name": zone.name,
                "contested": zone.contested,
                "claims": [claim.model_dump(mode="json", exclude_none=True) for claim in zone.claims],
            }
            for zone in found
        ]
        told = {"zones": rows, "regions": {str(level): region.names.model_dump() for level, region in regions.items()}}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for zone in found:
        claims = ", ".join(f"{claim.state} ({claim.kind})" for claim in zone.claims) or "claimed by nobody"
        click.echo(f"{zone.id}  {zone.name}{'  contested' if zone.contested else ''}: {claims}")
    for level, region in regions.items():
        click.echo(f"region of level {level}: {region.label}")
    if not found:
        click.echo("it lies in no declared zone: the high seas, or waters that nobody has drawn here", err=True)
