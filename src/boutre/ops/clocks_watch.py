"""
Looks at the clocks of a bus, once or again and again: for the command, and for whoever shows them.

    with clocks_watch(settings) as watch:
        report = watch.look()
        metrics.REGISTRY.register(watch.series)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from datetime import time as midnight

import structlog
from cryptography import x509

from boutre.connectors import feeds
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops.assembly import Assembly, assemble, keys_of
from boutre.ops.clocks import declared
from boutre.ops.clocks.declared import ClocksFile
from boutre.ops.clocks.judge import judge
from boutre.ops.clocks.look import Look, TermSeen
from boutre.ops.clocks.report import Report
from boutre.ops.clocks.series import Series
from boutre.ops.clocks_bus import ClocksBus, asking
from boutre.ops.clocks_processes import ProcessClocks
from boutre.ops.doctor.expiry import Key, covered
from boutre.ops.findings.heard import Heard
from boutre.ops.lag import declared as lag_declared
from boutre.ops.settings import Settings
from boutre.topics.strict import raise_all

log = structlog.get_logger()


@dataclass(slots=True)
class ClocksWatch:
    """
    A bus and its clocks; *heard* is what was seen last. Made by ``clocks_watch``.
    """

    settings: Settings
    assembly: Assembly
    file: ClocksFile
    bus: ClocksBus
    processes: ProcessClocks
    heard: Heard[Report]
    now: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def series(self) -> Series:
        """The metrics, for a registry."""
        return Series(lambda: self.heard, deadlines(self.assembly), self.file.undelivered_minutes * 60)

    @property
    def every_s(self) -> float:
        """How often it is to be looked at."""
        return self.file.every_s

    def look(self) -> Report:
        """Look once. Raises Unavailable where the cluster does not answer; what was heard then stays, as of before."""
        with self._lock:
            begun, at = time.monotonic(), self.now()
            self.heard = replace(self.heard, asked=at, asking=True)
            try:
                seen_feeds, alerts = self.bus.look()
            except Unavailable as away:
                self.heard = replace(self.heard, asking=False, failed=True, why=str(away))
                raise
            said, terms = self.processes.look(self.now()), terms_seen(self.settings, self.assembly, at)
            look = Look(self.now(), seen_feeds, alerts, said.waiting, terms, said.probes, said.unheard, said.senders)
            report = judge(look, self.file)
            took_s = time.monotonic() - begun
            self.heard = replace(self.heard, value=report, answered=report.at, asking=False, failed=False, why="", took_s=took_s)
            return report

    def go_on(
        self, stopped: threading.Event, every_s: float | None = None, seen: Callable[[Heard[Report]], None] = lambda _heard: None
    ) -> None:
        """Look every so often until *stopped*, and tell *seen* what is known each time. A cluster that is away is asked again."""
        while not stopped.is_set():
            begun, failed = time.monotonic(), self.heard.failed
            try:
                self.look()
            except Unavailable as away:
                if not failed:
                    log.warning("clocks.cluster-away", reason=str(away))
            seen(self.heard)
            stopped.wait(max(0.0, (every_s or self.every_s) - (time.monotonic() - begun)))


@contextmanager
def clocks_watch(settings: Settings) -> Iterator[ClocksWatch]:
    """
    Give what watches the clocks of the bus of these settings. Raises DeclarationError with all that is wrong in what is declared.
    """
    assembly = assemble(settings.folder())
    bus, faults = assembly.declarations, list[Fault]()
    found = feeds.load(assembly.root)
    file = declared.load(assembly.root, bus, (one.id for one in found), faults)
    lag = lag_declared.load(assembly.root, bus, faults)
    raise_all(faults)
    with asking(settings.kafka.client(), bus, found, lag) as looking:
        yield ClocksWatch(
            settings, assembly, file, looking, ProcessClocks(settings.state), Heard("clocks", file.every_s, time.time())
        )


def deadlines(assembly: Assembly) -> Mapping[tuple[str, str], float]:
    """
    Give the deadlines of records and of alerts, in seconds, by what they are of and their class.
    """
    records = {("record", name): float(seconds) for name, seconds in assembly.pipeline.file.deadlines.items()}
    alerts = assembly.pipeline.alerts
    if alerts is None:
        return records
    return records | {("alert", name): alerts.scales.deadline_s(name) for name in alerts.scales.deadline_minutes}


def terms_seen(settings: Settings, assembly: Assembly, at: float) -> tuple[TermSeen, ...]:
    """
    Give what ends by a date: agreements, the keys of each recipient that has any, and this process's certificates.

    What cannot be read ends now, since nothing can be done by it.
    """
    found = [
        TermSeen("agreement", one.id, one.recipient, _start(one.start), _start(one.end))
        for one in assembly.pipeline.policy.agreements
    ]
    now = datetime.fromtimestamp(at, UTC)
    try:
        rows = keys_of(settings).recipient_rows()
    except DeclarationError:
        rows = ()
    for recipient in sorted({row.recipient for row in rows}):
        keys = [
            Key(row.recipient, row.id, _moment(row.from_), _moment(row.until))
            for row in rows
            if row.recipient == recipient and not row.revoked
        ]
        ends = covered(keys, now)
        found.append(TermSeen("key", recipient, recipient, None, None if ends is None else ends.timestamp()))
    for name, path in (("authority", settings.kafka.ssl_ca_location), ("client", settings.kafka.ssl_certificate_location)):
        if path is not None:
            try:
                ends_at = min(one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(path.read_bytes()))
            except (OSError, ValueError):
                found.append(TermSeen("certificate", name, "bus", None, None))
            else:
                found.append(TermSeen("certificate", name, "bus", None, ends_at))
    return tuple(found)


def _moment(day: date) -> datetime:
    return datetime.combine(day, midnight(), UTC)


def _start(day: date) -> float:
    return _moment(day).timestamp()
