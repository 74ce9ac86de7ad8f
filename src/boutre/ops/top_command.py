"""
``boutre top``: what is late, where it is stuck and what to do, in a terminal.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Final

import click
import structlog

from boutre.errors import Unavailable
from boutre.ops.command import with_settings
from boutre.ops.operations_command import PORT
from boutre.ops.settings import Settings
from boutre.ops.top.source import Source, remote

HERE: Final = f"http://127.0.0.1:{PORT}"


@click.command(epilog="Example: boutre top --from http://operations.example.org:9320")
@click.option("--from", "url", metavar="URL", help=f"The page of a boutre operations.  [default: {HERE}, else it looks by itself]")
@click.option("--alone", is_flag=True, help="Look by itself, whoever else does.")
@with_settings
def top(settings: Settings, *, url: str | None, alone: bool) -> None:
    """
    Show the findings and tables of operations in a terminal.

    From a running boutre operations where there is one, else from what it sees by itself, which takes some looks until it knows who
    gets on. Keys: arrows choose, n and p change the table, s sorts, l changes the language, q ends.
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.BadParameter("begins with http:// or https://", param_hint="--from")
    from boutre.ops.top.app import Top  # noqa: PLC0415 - a whole library, which --help does without

    with ExitStack() as stack:
        chosen = None if alone else remote(url or HERE)
        if chosen is not None and url is None:
            try:
                chosen.ask()
            except Unavailable:
                chosen = None
        if chosen is None:
            chosen = itself(stack, settings)
        Top(chosen, settings.language).run()


def itself(stack: ExitStack, settings: Settings) -> Source:
    """
    Give what this process sees by itself, as long as *stack* lasts.
    """
    from boutre.ops.operations_looking import Beside, looking  # noqa: PLC0415 - asks the cluster, which the other way does not

    # A line of a log in the middle of the tables helps nobody; what fails is told among the sources.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    return Source(stack.enter_context(looking(settings, Beside())).document)
