"""
``boutre worker``: one Faust worker for one processor.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.health import OWN
from boutre.ops import logs
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.cluster import Cluster
from boutre.ops.command import with_settings
from boutre.ops.living import living
from boutre.ops.scope_follow import ScopeFollow
from boutre.ops.settings import Settings
from boutre.processors.groups import group_of
from boutre.processors.handle import Processor
from boutre.processors.pipeline import SCOPES
from boutre.processors.release import Release


@click.command(epilog="Example: boutre worker release --metrics-port 9102")
@click.argument("processor")
@click.option("--metrics-port", type=int, default=None, help="Port of /metrics; 0 takes a free one.  [default: settings]")
@click.option("--data", type=click.Path(path_type=Path), default=None, help="Folder of this worker alone.  [default: in state]")
@click.option("--uvloop/--no-uvloop", default=True, help="Use uvloop's event loop.", show_default=True)
@with_settings
def worker(settings: Settings, processor: str, metrics_port: int | None, data: Path | None, *, uvloop: bool) -> None:
    """Run one worker of PROCESSOR until it is told to stop; several share its partitions."""
    logs.to_stderr()
    assembly = assemble(settings.folder())
    names = [edge.name for edge in assembly.pipeline.edges]
    if processor not in names:
        raise DeclarationError([Fault("processors/pipeline.toml", processor, f"no such processor; there are {', '.join(names)}")])
    (handler,) = assembly.handlers(keys_of(settings), processor)
    _see_topics(settings, handler.processor)
    # Before the page is there: until Faust has given it partitions, nobody is to take it for ready.
    OWN.lacks("partitions", "none were assigned yet")
    if uvloop:
        from boutre.processors.runtime import loop  # noqa: PLC0415 - optional at run time

        loop.install()
    # Faust is imported here, since it patches the process and takes half a second: other commands do without.
    from boutre.processors.runtime.connection import Connection  # noqa: PLC0415
    from boutre.processors.runtime.restore import Changelog  # noqa: PLC0415
    from boutre.processors.runtime.worker import build, run  # noqa: PLC0415

    kafka = settings.kafka.client()
    connection = Connection.of(kafka)
    known = Changelog(*Cluster(kafka).incarnation(handler.processor.changelog))
    with living(settings, "worker", processor, port=metrics_port), _scopes(settings, handler.processor):
        run(build(group_of(processor), handler, connection, data or settings.state / "workers" / processor, known))


def _scopes(settings: Settings, processor: Processor) -> AbstractContextManager[object]:
    """Follow the scopes' files, where the processor asks for them."""
    if not isinstance(processor.step, Release):
        return nullcontext()
    return ScopeFollow(settings.folder() / SCOPES, processor.step.scopes, keys_of(settings).keyring)


def _see_topics(settings: Settings, processor: Processor) -> None:
    """Refuse to start where a topic is missing: a worker without its topics would say that it is ready, and do nothing."""
    needed = {*processor.reads, *processor.writes, processor.changelog}
    missing = sorted(needed - Cluster(settings.kafka.client()).names())
    if missing:
        shown = ", ".join(missing[:3]) + (" and more" if len(missing) > 3 else "")  # noqa: PLR2004 - enough to know which
        raise Unavailable(f"{len(missing)} topics are not there ({shown}); make them with `boutre topics apply`")
