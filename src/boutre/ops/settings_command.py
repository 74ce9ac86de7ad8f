"""
`boutre settings`: what is in effect, and by which variable it is set.
"""

from __future__ import annotations

import json
import os
from typing import Any, Literal

import click
from pydantic import BaseModel

from boutre.ops.command import with_settings
from boutre.ops.settings import PREFIX, Settings, unknown_variables


@click.command("settings", epilog="Example: BOUTRE_KAFKA__BOOTSTRAP_SERVERS=broker:9093 boutre settings")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
def settings(settings: Settings, output: Literal["table", "json"]) -> None:
    """
    Show the settings in effect and the variables that set them; secrets are hidden.
    """
    for name in unknown_variables(os.environ):
        click.echo(f"{name} is no setting; is it mistyped?", err=True)
    rows = list(_rows(settings, PREFIX))
    if output == "json":
        click.echo(json.dumps({name: value for name, value, _ in rows}, indent=2))
        return
    width = max(len(name) for name, _, _ in rows)
    for name, value, meaning in rows:
        click.echo(f"{name:<{width}}  {'' if value is None else value}")
        click.echo(f"{'':<{width}}    {meaning}")


def _rows(part: BaseModel, prefix: str) -> list[tuple[str, Any, str]]:
    rows: list[tuple[str, Any, str]] = []
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            rows.extend(_rows(value, f"{prefix}{name.upper()}__"))
        else:
            plain = value if value is None or isinstance(value, bool | int) else str(value)
            rows.append((f"{prefix}{name.upper()}", plain, field.description or ""))
    return rows
