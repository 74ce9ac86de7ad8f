"""
``boutre doctor``: what is not as it should be, on this machine and on the cluster, what it means, and what to do next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import click

from boutre.errors import DeclarationError, Unavailable
from boutre.ops import doctor_kafka, doctor_local
from boutre.ops.command import with_settings
from boutre.ops.doctor import cluster, declared
from boutre.ops.doctor.finding import Finding, Looked, Report, Room, report
from boutre.ops.doctor_local import Seen
from boutre.ops.settings import Settings
from boutre.processors import pipeline
from boutre.processors.pipeline import Pipeline
from boutre.schemas import lock, locking, vocabulary
from boutre.schemas.lock import Lock
from boutre.topics import bus
from boutre.topics.bus import Declarations

Output = Literal["table", "json"]
T = TypeVar("T")


@click.command(epilog="Example: boutre doctor --output json")
@click.option("--registry", help="Look at this schema registry too: root of its API.")
@click.option(
    "--registry-user-file",
    "user_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="name:password.",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
@click.pass_context
def doctor(ctx: click.Context, settings: Settings, registry: str | None, user_file: Path | None, output: Output) -> None:
    """
    Look at settings, broker, clock, topics, access rules, schemas, keys, agreements, disks, state and versions.

    Changes nothing. Each finding says what it means and what to do next. Exit status 0: nothing is wrong (notes may be there),
    1: warnings, 2: errors. A broker that is gone is said, and all else is looked at.
    """
    if registry is not None and urlsplit(registry).username is not None:
        # What is found is shown with its address.
        raise click.BadParameter("holds a user name; say it by --registry-user-file", param_hint="--registry")
    user = user_file.read_text(encoding="utf-8").strip() if user_file is not None else None
    found = examine(settings, registry, user)
    if output == "json":
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        for line in lines(found):
            click.echo(line)
    ctx.exit(found.status)


def examine(settings: Settings, registry: str | None = None, user: str | None = None) -> Report:
    """
    Look at everything; what cannot be looked at is said, and hides nothing else.
    """
    now = datetime.now(UTC)
    seen: list[Seen] = list(doctor_local.settings_seen(settings))
    root = settings.folder()
    declarations = _read(seen, "topics", lambda: bus.load(root))
    locked = _read(seen, "schemas", lambda: lock.load(lock.folder_of(root)))
    made = None
    if declarations is not None and locked is not None:
        made = _read(seen, "agreements", lambda: _pipeline(root, declarations, locked))
    if locked is not None:
        seen += declared.of_lock(locking.check(lock.folder_of(root)))
    seen += _kafka(settings, declarations, locked)
    if registry is not None and locked is not None:
        seen += _asked("schemas", lambda: doctor_kafka.registry_seen(registry, user, locked))
    seen += doctor_local.keys_seen(settings, declarations, now)
    if made is not None:
        seen += doctor_local.agreements_seen(made, now)
    seen += doctor_local.disks_seen(settings)
    seen += doctor_local.state_seen(settings)
    seen += doctor_local.versions_seen()
    return report([one for one in seen if isinstance(one, Looked)], [one for one in seen if isinstance(one, Finding)])


def lines(found: Report) -> Iterator[str]:
    """
    Give the report as lines for people.
    """
    for one in found.looked:
        yield f"{one.room:<11} {'' if one.seen else 'not seen: '}{one.said}"
    for finding in found.findings:
        yield ""
        yield f"{finding.severity.upper():<8} {finding.room}: {finding.what}"
        yield f"         {finding.means}"
        yield f"         next: {finding.next_step}"
    counts = {severity: sum(one.severity == severity for one in found.findings) for severity in ("error", "warning", "note")}
    yield ""
    yield ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())


def _kafka(settings: Settings, declarations: Declarations | None, locked: Lock | None) -> Iterable[Seen]:
    address = settings.kafka.bootstrap_servers
    try:
        seen = list(doctor_kafka.broker_seen(settings))
    except doctor_kafka.FAILED as error:
        rooms: tuple[Room, ...] = ("broker", "clock", "topics", "access")
        gone = cluster.silent(address, _said(error), embedded=settings.kafka.embedded)
        return [gone, *(Looked(room, "the broker does not answer", seen=False) for room in rooms)]
    if declarations is not None:
        seen += _asked("topics", lambda: doctor_kafka.topics_seen(settings, declarations))
        seen += _asked("clock", lambda: doctor_kafka.clock_seen(settings, declarations))
        if locked is not None:
            seen += _asked("schemas", lambda: doctor_kafka.frames_seen(settings, declarations, locked))
    return [*seen, *_asked("access", lambda: doctor_kafka.access_seen(settings))]


def _asked(room: Room, ask: Callable[[], Iterable[Seen]]) -> Iterable[Seen]:
    try:
        return list(ask())
    except doctor_kafka.FAILED as error:
        return [Looked(room, _said(error), seen=False)]


def _read(seen: list[Seen], room: Room, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except DeclarationError as error:
        seen += doctor_local.unreadable(room, error)
    except Unavailable as error:
        seen.append(Looked(room, _said(error), seen=False))
    return None


def _pipeline(root: Path, declarations: Declarations, locked: Lock) -> Pipeline:
    return pipeline.load(root, declarations, locked, vocabulary.load(lock.folder_of(root) / "vocabularies"))


def _said(error: Exception) -> str:
    # What the clients say names addresses and topics, and no secret; anything else is told by its kind alone.
    with suppress(AttributeError, IndexError):
        if not isinstance(error, Unavailable | DeclarationError):
            return str(error.args[0].name())
    return str(error) if isinstance(error, Unavailable | DeclarationError) else type(error).__name__
