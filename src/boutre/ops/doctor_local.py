"""
What the doctor sees of this machine without asking anybody: settings, keys, certificates, agreements, disks, folders, versions.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, time
from importlib import metadata
from pathlib import Path
from typing import Final

import confluent_kafka
from cryptography import x509
from packaging.requirements import Requirement

from boutre import __version__
from boutre.errors import DeclarationError
from boutre.ops import answers_store, audit_file
from boutre.ops.assembly import keys_of
from boutre.ops.doctor import contradictions, disk, expiry, machine
from boutre.ops.doctor.finding import Finding, Looked, Room
from boutre.ops.settings import Settings, unknown_variables
from boutre.processors.pipeline import Pipeline
from boutre.schemas.cases import vault_file
from boutre.topics.bus import Declarations

BREAKING: Final = ("aiokafka", "confluent-kafka", "cryptography", "fastavro", "faust-streaming", "msgspec", "pydantic", "rocksdict")
"""Libraries of which another version than those that are declared may do something else to records."""

TOLD: Final = frozenset({"confluent-kafka", "faust-streaming", "aiokafka"})
"""Those that are told by their version in any case."""

Seen = Finding | Looked
"""What looking gives: that a room was looked at, and what was found in it."""


def settings_seen(settings: Settings) -> Iterator[Seen]:
    """
    Look at the settings.
    """
    kafka, bus = settings.kafka, settings.bus
    vault = settings.vault or settings.keys / "vault"
    told = contradictions.Told(
        servers=tuple(filter(None, (server.strip() for server in kafka.bootstrap_servers.split(",")))),
        protocol=kafka.security_protocol,
        embedded=kafka.embedded or not kafka.bootstrap_servers,
        replication=kafka.replication,
        min_isr=kafka.min_isr,
        password_in_place=kafka.sasl_password is not None,
        password_in_file=kafka.sasl_password_file is not None,
        ca=kafka.ssl_ca_location is not None,
        broker_s=settings.health.broker_s,
        work_s=settings.health.work_s,
        unknown=tuple(unknown_variables(os.environ)),
        vault_in_keys=vault.resolve().is_relative_to(settings.keys.resolve()) and vault.exists(),
        keys_in_bus=bus is not None and settings.keys.resolve().is_relative_to(bus.resolve()) and settings.keys.exists(),
    )
    yield Looked("settings", f"{'the embedded broker' if told.embedded else kafka.bootstrap_servers} by {told.protocol}")
    yield from contradictions.of_settings(told)


def keys_seen(settings: Settings, declarations: Declarations | None, now: datetime) -> Iterator[Seen]:
    """
    Look at keys and certificates: at dates, rights and whether they are there, never at a private key itself.
    """
    folder = keys_of(settings)
    try:
        rows = folder.recipient_rows()
    except DeclarationError as error:
        rows = ()
        yield from unreadable("keys", error, "boutre keys --help")
    found = [expiry.Key(row.recipient, row.id, _midnight(row.from_), _midnight(row.until), row.revoked) for row in rows]
    yield from expiry.of_keys(found, now)
    certificates = []
    for path in (settings.kafka.ssl_ca_location, settings.kafka.ssl_certificate_location):
        if path is not None:
            try:
                certificates += _certificates(path)
            except (OSError, ValueError) as error:
                what = f"{path} cannot be read as certificates ({type(error).__name__})"
                yield Finding("keys", "error", what, "no connection that needs it comes about", f"ls -l {path}; boutre settings")
    yield from expiry.of_certificates(certificates, now)
    names = ["state.key", "bus.pem", "bus.toml", "members.toml"]
    if declarations is not None:
        names += [f"recipients/{name}.key" for name in declarations.recipients]
    yield from machine.missing_keys(name for name in names if not (settings.keys / name).is_file())
    private = [path for pattern in ("**/*.pem", "**/*.key") for path in settings.keys.glob(pattern)]
    yield from machine.of_folders(_folder("a private key", path, private=True, write=False) for path in sorted(private))
    yield Looked("keys", f"{len(rows)} keys of recipients, {len(certificates)} certificates, {len(private)} private files")


def agreements_seen(pipeline: Pipeline, now: datetime) -> Iterator[Seen]:
    """
    Look at the dates of the agreements.
    """
    found = [
        expiry.Agreement(one.id, one.recipient, _midnight(one.start), _midnight(one.end)) for one in pipeline.policy.agreements
    ]
    yield Looked("agreements", f"{sum(one.begins <= now < one.ends for one in found)} of {len(found)} are in force")
    yield from expiry.of_agreements(found, now)


def disks_seen(settings: Settings) -> Iterator[Seen]:
    """
    Look at the disks: of what is remembered and spooled, of the keys, and of Kafka's log where that is of this folder.
    """
    places = {"state, spool and what is kept": settings.state, "keys": settings.keys, "vault": settings.vault}
    places["log of the embedded Kafka"] = settings.state / "kafka"
    rooms, disks = [], set()
    for what, path in places.items():
        if path is None or not path.exists():
            continue
        usage, device = shutil.disk_usage(path), path.stat().st_dev
        if device not in disks:
            disks.add(device)
            rooms.append(disk.Room(what, str(path), usage.free, usage.total))
    yield Looked("disk", "; ".join(f"{room.path}: {disk.size(room.free)} left" for room in rooms) or "nothing is kept here yet")
    yield from disk.of_disks(rooms)


def state_seen(settings: Settings) -> Iterator[Seen]:
    """
    Look at the folders and stores of what is remembered on this machine: whose they are, and of which form.
    """
    state = settings.state
    if not state.exists():
        yield Looked("state", f"{state} is not there yet")
        return
    workers = sorted(path for path in (state / "workers").glob("*") if path.is_dir())
    found = [_folder("what is remembered", state), *(_folder("a worker's memory", path) for path in workers)]
    stores: Mapping[str, tuple[Path, int]] = {
        "the way back": (state / "answers" / answers_store.FILE, answers_store.FORM),
        "the audit log": (state / "audit" / audit_file.FILE, audit_file.FORM),
        "the vault of case keys": (keys_of(settings).cases.file, vault_file.FORM),
    }
    found += [_store(what, path, form) for what, (path, form) in stores.items() if path.is_file()]
    spoilt = len(list(state.glob("workers/*/state/*/SPOILT")))
    yield Looked("state", f"{len(found)} folders and stores in {state}")
    yield from machine.of_folders(found)
    if spoilt:
        means = "it is thrown away and filled anew from its changelog when its worker starts: nothing is lost"
        yield Finding("state", "note", f"{spoilt} stores of workers are damaged", means, "restart the worker; then see its disk")


def versions_seen() -> Iterator[Seen]:
    """
    Look at what is installed, beside what this version declares.
    """
    wanted = {one.name: one for one in map(Requirement, metadata.requires("boutre") or ()) if one.marker is None}
    found = []
    for name in BREAKING:
        try:
            version: str | None = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = None
        specifier = wanted[name].specifier if name in wanted else None
        fits = version is not None and (specifier is None or specifier.contains(version, prereleases=True))
        found.append(machine.Installed(name, version, str(specifier or ""), fits))
    told = {f"{one.name} {one.version}" for one in found if one.name in TOLD}
    named = ", ".join([f"Python {platform.python_version()}", *sorted(told), f"librdkafka {confluent_kafka.libversion()[0]}"])
    yield Looked("versions", f"boutre {__version__}, {named}")
    yield from machine.of_versions(found)


def unreadable(room: Room, error: DeclarationError, next_step: str = "boutre check") -> Iterator[Finding]:
    """
    Give the findings for what is declared and cannot be read.
    """
    for fault in error.faults:
        yield Finding(room, "error", str(fault), "processes that need it do not start, and it was not looked at further", next_step)


def _certificates(path: Path) -> list[expiry.Certificate]:
    return [
        expiry.Certificate(str(path), one.subject.rfc4514_string(), one.not_valid_before_utc, one.not_valid_after_utc)
        for one in x509.load_pem_x509_certificates(path.read_bytes())
    ]


def _folder(what: str, path: Path, *, private: bool = False, write: bool = True) -> machine.Folder:
    told = path.stat()
    may = not write or os.access(path, os.W_OK)
    return machine.Folder(what, str(path), told.st_uid, os.getuid(), may, mode=told.st_mode, private=private)


def _store(what: str, path: Path, known: int) -> machine.Folder:
    try:
        # Read only, so that looking makes nothing and waits for nobody.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            form = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        form = -1
    told = path.stat()
    may = os.access(path, os.W_OK)
    return machine.Folder(what, str(path), told.st_uid, os.getuid(), may, form=form, known=(known,))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
