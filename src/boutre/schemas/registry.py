"""
A schema registry beside the bus, for clients that want one: ours to fill, never to believe.

The bus itself needs none, since its ids are locked. Any registry that speaks the Confluent API may hold the locked schemas as
well, each kind under the subject of its record name (``boutre.Sighting``), since one kind stands on many topics. A registry
gives ids of its own; they are mapped at start by what the schemas say, units and sharing categories included, and a schema
under one of our names which we never locked is refused: nobody but the lock decides what a record means. Nothing is ever
registered on the way.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from boutre.errors import DeclarationError, Fault, Refuse, Unavailable
from boutre.schemas.codec import FRAME, MAGIC
from boutre.schemas.compatibility import problems
from boutre.schemas.lock import Lock, Locked
from boutre.schemas.normal import normal

LEVEL: Final = "FULL_TRANSITIVE"

_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_ABSENT: Final = 404
_CONFLICT: Final = frozenset({409, 422})
_MAX_ANSWER: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Registered:
    """
    One schema as a registry holds it: its subject, version and id there.
    """

    subject: str
    version: int
    id: int
    schema: Mapping[str, Any]


class Registry:
    """
    A client of a Confluent-compatible registry at *url*, for start-up and for operators; it waits for each answer.

    Args:
        url: the root of the API, such as ``https://registry.example/apis/ccompat/v7``.
        user: ``name:password`` for basic authentication.
        trust: the authorities that its certificate may come from; without them, those of the system.
        timeout: seconds to wait for an answer.

    Every method raises ``Unavailable`` where it does not answer, or answers what it should not.
    """

    def __init__(self, url: str, *, user: str | None = None, trust: ssl.SSLContext | None = None, timeout: float = 10.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise DeclarationError([Fault("registry", "url", "begins with http:// or https://")])
        self.url = url.rstrip("/")
        self._headers = {"Accept": f"{_TYPE}, application/json", "Content-Type": _TYPE}
        if user is not None:
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
        self._trust = trust
        self._timeout = timeout

    def schemas(self, subject: str) -> list[Registered]:
        """Give all versions under *subject*, oldest first; none where the subject does not exist."""
        versions = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions", absent=[])
        found = []
        for version in sorted(versions):
            answer = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version}")
            found.append(Registered(subject, version, int(answer["id"]), json.loads(answer["schema"])))
        return found

    def level(self, subject: str) -> str:
        """Give the compatibility level that holds for *subject*: its own, else that of the registry."""
        own = self._ask("GET", f"/config/{quote(subject, safe='')}", absent={})
        answer = own or self._ask("GET", "/config")
        return str(answer.get("compatibilityLevel") or answer.get("compatibility"))

    def guard(self, subject: str) -> bool:
        """Have the registry refuse under *subject* what is not FULL_TRANSITIVE; False where it has no such subject yet."""
        path = f"/config/{quote(subject, safe='')}"
        return self._ask("PUT", path, {"compatibility": LEVEL}, absent=None) is not None

    def register(self, subject: str, schema: Mapping[str, Any]) -> int:
        """Register *schema* and give its id there; ``DeclarationError`` where the registry finds it incompatible."""
        body = {"schema": json.dumps(schema, ensure_ascii=False)}
        return int(self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", body)["id"])

    def compatible(self, subject: str, schema: Mapping[str, Any]) -> bool:
        """Ask whether the registry would take *schema* after all that it has under *subject*."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions"
        answer = self._ask("POST", path, {"schema": json.dumps(schema, ensure_ascii=False)})
        return bool(answer["is_compatible"])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, absent: Any = ...) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self._headers, method=method)  # noqa: S310 - checked to be http(s)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout, context=self._trust) as answer:  # noqa: S310 - the same
                return json.loads(answer.read(_MAX_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                code, said = _said(error)
            # Only a registry's own "no such subject": another program's 404 is no answer.
            if error.code == _ABSENT and code // 100 == _ABSENT and absent is not ...:
                return absent
            if error.code in _CONFLICT:
                raise DeclarationError([Fault(self.url, path, f"refused as incompatible: {said}")]) from None
            raise Unavailable(f"{self.url}{path} answers {error.code}: {said}") from None
        except (OSError, ValueError) as error:
            # Their text may hold the address with a password in it.
            message = f"the schema registry at {self.url} does not answer as one ({type(error).__name__}); look at its address"
            raise Unavailable(message) from None


def _said(error: urllib.error.HTTPError) -> tuple[int, str]:
    try:
        answer = json.loads(error.read(_MAX_ANSWER))
        return int(answer["error_code"]), str(answer["message"])[:500]
    except (OSError, ValueError, KeyError, TypeError):
        return 0, "no reason given"


def subject(entry: Locked) -> str:
    """
    Give the subject that a kind's schemas stand under: the full name of its record.
    """
    return f"{entry.schema['namespace']}.{entry.schema['name']}"


# --- Ids there and ids here ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ids:
    """
    How a registry's ids and the locked ones stand for each other.

    Two locked versions that differ in their docs only may be one schema to a registry; inward, the older of them is meant.
    """

    inward: Mapping[int, int]
    outward: Mapping[int, int]

    def to_locked(self, frame: bytes) -> bytes:
        """
        Give the frame with the locked id in place of the registry's; one that has a locked id already stays as it is.

        Signatures are over the frame as it was sent: verify first. Raises ``Refuse("undecodable")`` for what is no frame and
        ``Refuse("unknown-schema")`` for an id of neither.
        """
        found = _id(frame)
        return frame if found in self.outward else self._replaced(frame, self.inward.get(found))

    def to_registry(self, frame: bytes) -> bytes:
        """Give the frame with the registry's id in place of the locked one; raises as ``to_locked`` does."""
        return self._replaced(frame, self.outward.get(_id(frame)))

    def _replaced(self, frame: bytes, new: int | None) -> bytes:
        if new is None:
            raise Refuse("unknown-schema")
        return FRAME.pack(MAGIC, new) + frame[FRAME.size :]


def _id(frame: bytes) -> int:
    if len(frame) < FRAME.size or frame[0] != MAGIC:
        raise Refuse("undecodable")
    return int(FRAME.unpack_from(frame)[1])


def mapping(registry: Registry, lock: Lock) -> Ids:
    """
    Learn which of a registry's ids stands for which locked schema; to be asked once, at start.

    Raises ``DeclarationError`` with every schema under one of our subjects that is none of ours, and every id that would mean two
    things; ``Unavailable`` where the registry does not answer.
    """
    ids, faults = _map(lock, _registered(registry, lock))
    if faults:
        raise DeclarationError(faults)
    return ids


def faults(registry: Registry, lock: Lock) -> list[Fault]:
    """
    Give all that is wrong with a registry: strangers under our names, locked schemas that it lacks, subjects left unguarded.
    """
    registered = _registered(registry, lock)
    ids, found = _map(lock, registered)
    for entry in lock.entries:
        if entry.id not in ids.outward:
            message = f"{entry.kind} {entry.version} is not registered; run boutre schemas registry push"
            found.append(Fault(registry.url, subject(entry), message))
    for name in sorted({each.subject for each in registered}):
        if (level := registry.level(name)) != LEVEL:
            found.append(Fault(registry.url, name, f"its compatibility is {level}, not {LEVEL}; run boutre schemas registry push"))
    return found


def push(registry: Registry, lock: Lock) -> list[tuple[Locked, int]]:
    """
    Register the locked schemas that a registry lacks, oldest first, and have it guard them; give those added, with their ids.

    Raises ``DeclarationError``, before anything is changed, where strangers stand under our names.
    """
    ids = mapping(registry, lock)
    added = []
    guarded: set[str] = set()
    for entry in sorted(lock.entries, key=lambda entry: (entry.kind, entry.version)):
        name = subject(entry)
        if name not in guarded and registry.guard(name):
            guarded.add(name)
        if entry.id not in ids.outward:
            added.append((entry, registry.register(name, entry.schema)))
            if name not in guarded:
                # Some registries know no rules for a subject before its first schema.
                registry.guard(name)
                guarded.add(name)
    mapping(registry, lock)
    return added


def _registered(registry: Registry, lock: Lock) -> list[Registered]:
    return [each for name in sorted({subject(entry) for entry in lock.entries}) for each in registry.schemas(name)]


def _map(lock: Lock, registered: Iterable[Registered]) -> tuple[Ids, list[Fault]]:
    ours: dict[str, list[Locked]] = {}
    for entry in sorted(lock.entries, key=lambda entry: entry.version):
        ours.setdefault(normal(entry.schema, entry.kind).fingerprint, []).append(entry)
    locked_ids = {entry.id for entry in lock.entries}
    inward: dict[int, int] = {}
    outward: dict[int, int] = {}
    found: list[Fault] = []
    for each in registered:
        where = f"{each.subject} version {each.version}"
        entries = [entry for entry in ours.get(normal(each.schema, where).fingerprint, []) if subject(entry) == each.subject]
        if not entries:
            found.append(Fault("registry", where, f"is none of the locked schemas{_nearest(lock, each)}"))
        elif each.id in locked_ids and each.id not in {entry.id for entry in entries}:
            found.append(Fault("registry", where, f"has the id {each.id}, which is locked for another schema"))
        else:
            inward.setdefault(each.id, entries[0].id)
            outward.update({entry.id: each.id for entry in entries})
    return Ids(inward, outward), found


def _nearest(lock: Lock, each: Registered) -> str:
    newest = max((entry for entry in lock.entries if subject(entry) == each.subject), key=lambda entry: entry.version)
    differs = [*problems(newest.schema, each.schema), *problems(each.schema, newest.schema)]
    return f"; against version {newest.version}, {differs[0]}" if differs else "; it differs from them in what may differ"
