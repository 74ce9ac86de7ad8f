"""
Erasure on a real Kafka: once a case key is destroyed, nothing that the bus wrote anywhere can be read, nor any backup of it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from boutre.errors import Refuse
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.schemas.cases.groups import Opener, case_keys
from boutre.schemas.cases.vault import Vault
from boutre.schemas.codec import Decoded
from boutre.schemas.identity import pseudonym
from boutre.schemas.keys import KeyFolder
from boutre.schemas.marks import Sealed
from broker.bad_input.bus import PATIENCE_S, Bus, ago, now_ms, running, sighting
from broker.bad_input.sealing import as_sent
from broker.conftest import started
from on_disk import read
from records import CODEC, Value, recall

CANARY: Final = "a person of whom nothing may remain"
ANOTHER: Final = "a person who was recalled before she was told of"
KEPT: Final = "a person of whom nobody asked"
PARTNER: Final = "protection-partner"
NEED: Final = "psychosocial"
"""What the partner is told of a person: a code, since no agreement of this bus gives it any free text of one."""


@dataclass(slots=True)
class Ground:
    """
    A bus that runs, with all its folders below *home*, and a copy of all that an administrator would back up.
    """

    bus: Bus
    broker: Broker
    home: Path

    @property
    def keys(self) -> KeyFolder:
        """The keys of the bus and its vault."""
        return self.bus.keys

    @property
    def database(self) -> Path:
        """The migration database."""
        return self.home / "db" / "migration.sqlite"

    def boutre(self, *words: str) -> str:
        """Run a command of this bus; it must succeed."""
        settings = self.bus.standing.settings
        environment = {
            "BOUTRE_BUS": str(settings.bus),
            "BOUTRE_KEYS": str(settings.keys),
            "BOUTRE_STATE": str(settings.state),
            "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": self.bus.bootstrap,
        }
        done = CliRunner().invoke(main, list(words), env=environment)
        assert done.exit_code == 0, done.output
        return done.output

    def until(self, holds: Callable[[Vault], bool], what: str) -> None:
        """Wait until it holds of the vault, whose follower is a process of the bus that runs."""
        ends = time.monotonic() + PATIENCE_S
        with self.keys.cases.open() as vault:
            while not holds(vault):
                assert time.monotonic() < ends, what
                time.sleep(0.1)

    def gone(self, identifier: str, keys: int = 1) -> None:
        """Wait until so many keys of an erased record were destroyed."""
        self.until(
            lambda vault: (found := vault.erasure(identifier)) is not None and (keys, 0) == (found.destroyed, found.left),
            "its key is destroyed",
        )

    def sunk(self) -> None:
        """Let the migration database of the protection partner take all that there is."""
        aside = str(self.home / "dead-letters.jsonl")
        url = f"url=sqlite:///{self.database}"
        self.boutre("sink", "run", "migration", PARTNER, "--set", url, "--once", "--dead-letters", aside)

    def back_up(self) -> Path:
        """Copy Kafka's log, the workers' state and the database; not the keys, which are kept apart."""
        copy = self.home / "backup"
        shutil.copytree(self.broker.home, copy / "kafka", ignore_dangling_symlinks=True)
        shutil.copytree(self.bus.standing.settings.state, copy / "state")
        (copy / "db").mkdir()
        for path in self.database.parent.glob("migration.sqlite*"):
            if path.is_file():
                shutil.copy(path, copy / "db" / path.name)
        return copy

    def opened(self, identifier: str) -> list[Decoded]:
        """Open every copy of a record on national and bus topics with the keys that are in the vault now."""
        opener = Opener(CODEC, self.keys.cases.open().opening)
        copies = [CODEC.decode(message.value) for message in self.copies(identifier)]
        return [opener(copy) for copy in copies]

    def copies(self, identifier: str) -> list[Any]:
        """Every message that is a copy of the record."""
        wanted = ("national.", "bus.sighting")
        return [one for one in self.bus.messages if one.place[0].startswith(wanted) and identifier.encode() in one.value]


def person(text: str, reference: str) -> Value:
    """A sighting of irregular migration in which a text stands in every personal group."""
    return sighting(
        reference,
        "seychelles",
        times={"observed": ago(hours=1)},
        trafficking={"status": "PossibleVictimOfTrafficking"},
        vulnerability={"needs": [NEED], "medical_urgent": True},
        victims=[{"name": text}],
        suspects=[{"name": text, "role": "suspect"}],
        narrative=[{"language": "en", "text": text}],
        handling={"tlp": "GREEN", "personal_data": True, "consent": "given"},
    )


def found_in(text: str, *roots: Path) -> list[str]:
    """Name every file below some folders that holds a text, plain or as UTF-16."""
    looked_for = (text.encode(), text.encode("utf-16-le"))
    files = [path for root in roots for path in sorted(root.rglob("*")) if path.is_file()]
    assert files
    return [path.name for path in files for content in [read(path)] if any(each in content for each in looked_for)]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A bus on a Kafka of its own."""
    home = tmp_path_factory.mktemp("erasure")
    broker = started(Broker())
    try:
        with running(broker.bootstrap, home, {}) as bus:
            yield Ground(bus, broker, home)
    finally:
        broker.close()


def case_key_of(ground: Ground, identifier: str) -> str:
    """The case key under which a record lies: one, in every copy of it."""
    (key,) = {key for copy in ground.copies(identifier) for key in case_keys(CODEC.decode(copy.value).value)}
    return key


def test_a_destroyed_key_makes_log_state_database_and_backups_unreadable(ground: Ground) -> None:
    """
    A record that names a person goes all the way, is backed up, recalled and erased.

    Before and after, its text stands in no file of log, changelogs, state and database; its ciphertext does. Before, the vault's
    key opens every copy, on Kafka and in the backup, and the partner's database gives its view; after, nothing does. The key itself
    is in no file of the vault any more. Another record of the same member is untouched.
    """
    bus = ground.bus
    value, other = person(CANARY, "M-1"), person(KEPT, "M-2")
    for each in (value, other):
        bus.send(as_sent("sighting", each, at=now_ms()))
        bus.follow(lambda each=each: bus.out(each["id"]), "a record that names a person")  # type: ignore[misc] # its default is a value
        assert PARTNER in bus.given(each["id"])
    ground.sunk()
    ground.until(lambda vault: sum(one.used for one in vault.standing()) >= len((value, other)), "both keys were seen in use")
    backup = ground.back_up()
    live = (ground.broker.home, bus.standing.settings.state, ground.database.parent)
    view = bus.collector.views[PARTNER, "sighting", pseudonym(ground.keys.recipient(PARTNER), value["id"])]
    key = case_key_of(ground, value["id"])
    secret = ground.keys.cases.open().opening(key, "seychelles", value["id"])._parts[0].private_bytes_raw()

    # Positive controls: the text is there for whoever has the keys, and its ciphertext where it is looked for.
    assert 2 <= len(opened := ground.opened(value["id"]))
    assert all(CANARY in repr(one.value[name]) for one in opened for name in ("victims", "suspects", "narrative"))
    assert [NEED] == view["vulnerability"]["needs"]
    assert NEED in ground.boutre("migration", "show", view["id"], "--url", f"sqlite:///{ground.database}", "--output", "json")
    sealed = next(
        one for copy in ground.copies(value["id"]) if isinstance(one := CODEC.decode(copy.value).value["victims"], Sealed)
    )
    assert any(sealed.ciphertext in read(path) for path in (backup / "kafka").rglob("*.log"))
    assert any(secret in path.read_bytes() for path in ground.keys.cases.vault.iterdir() if path.is_file())
    # It names nobody to whoever has not.
    assert [] == found_in(CANARY, backup, *live)
    assert [] == found_in(KEPT, backup, *live)
    assert [] == found_in(NEED, backup / "db", ground.database.parent)

    bus.send(as_sent("retraction", recall(value, "sighting", recall=erased(value)), at=now_ms()))
    bus.follow(lambda: any(one.place[0] == f"for.{PARTNER}.retraction" for one in bus.messages), "the recall")
    ground.gone(value["id"])
    ground.sunk()

    with pytest.raises(Refuse) as refused:
        ground.opened(value["id"])
    assert "case-erased" == refused.value.code
    assert not any(secret in path.read_bytes() for path in ground.keys.cases.vault.rglob("*") if path.is_file())
    assert [] == found_in(CANARY, backup, *live)
    for url in (ground.database, backup / "db" / "migration.sqlite"):
        shown = CliRunner().invoke(
            main,
            ["migration", "show", view["id"], "--url", f"sqlite:///{url}", "--keys", f"{ground.database}.keys", "--output", "json"],
        )
        assert shown.exit_code != 0
        assert NEED not in shown.output
    # Nobody else's is gone.
    assert all(KEPT in repr(one.value["victims"]) for one in ground.opened(other["id"]))
    assert "1" in ground.boutre("cases", "show", value["id"])


def test_a_record_sent_again_after_its_erasure_goes_nowhere(ground: Ground) -> None:
    """The same report under a new key is known and dropped; a copy of what was sent under the destroyed key is rejected."""
    bus = ground.bus
    value = person(ANOTHER, "M-3")
    first = as_sent("sighting", value, at=now_ms())
    bus.send(first)
    bus.follow(lambda: bus.out(value["id"]), "a record that names a person")
    bus.send(as_sent("retraction", recall(value, "sighting", recall=erased(value)), at=now_ms()))
    recalls = {f"for.{who}.retraction" for who in bus.given(value["id"])}
    bus.follow(lambda: recalls <= {one.place[0] for one in bus.messages}, "its recall")
    ground.gone(value["id"])

    place = bus.send(first)
    bus.follow(lambda: bool(bus.of(place)), "its reject")
    (reject,) = bus.of(place)
    assert "case-erased" == reject.value["code"]
    assert ANOTHER not in repr(reject.value)


def test_a_recall_that_comes_before_its_record_destroys_its_key(ground: Ground) -> None:
    """
    A recall of a record that nobody has yet waits for it: this reaches no recipient, and its key is destroyed when it is seen.
    """
    bus = ground.bus
    value = person(ANOTHER, "M-4")
    bus.send(as_sent("retraction", taken := recall(value, "sighting", recall=erased(value)), at=now_ms()))
    bus.follow(lambda: bus.out(taken["id"]), "the recall")
    ground.gone(value["id"], keys=0)
    place = bus.send(as_sent("sighting", value, at=now_ms()))
    bus.follow(lambda: bool(bus.of(place)), "its reject")
    assert {"case-erased"} == {one.value["code"] for one in bus.of(place)}
    assert set() == bus.given(value["id"])
    ground.gone(value["id"])
    with pytest.raises(Refuse) as refused:
        ground.opened(value["id"])
    assert "case-erased" == refused.value.code
    assert [] == found_in(ANOTHER, ground.broker.home, bus.standing.settings.state)


def erased(value: Value) -> Value:
    """The group of a recall that erases."""
    return {"record": value["id"], "kind": "sighting", "scope": "erase", "reason": "request-of-person"}
