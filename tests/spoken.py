"""
Arguments as the command reads them, without running it.
"""

from __future__ import annotations

import click

from boutre.ops.command import main


def parsed(words: list[str]) -> click.Context:
    """
    Read arguments as the command would, without running it; raises click's UsageError.
    """
    command: click.Command = main
    context, rest = None, list(words)
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context)
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
    return command.make_context(command.name, rest, parent=context)
