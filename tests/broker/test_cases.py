"""
The follower of case keys on a real Kafka: what is recalled is destroyed, before and after its record, once and for good.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.ops import cases_command
from boutre.ops.assembly import assemble
from boutre.ops.broker import Broker
from boutre.ops.cases_take import reads
from boutre.ops.command import main
from boutre.schemas.cases.pool import VaultPool
from boutre.schemas.cases.vault import Vault
from broker.bad_input import batches
from records import CODEC, ROOT, Value, kwassa, national, recall, track

RECALLS: Final = "bus.retraction"
REPORTS: Final = "national.comoros.interception"


@pytest.fixture
def kafka(broker: Broker, admin: AdminClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """
    Empty topics of everything that is followed, a new vault, and the settings with which to follow.
    """
    assembly = assemble(ROOT)
    monkeypatch.setattr(cases_command, "assemble", lambda _root: assembly)
    topics = reads(assembly.declarations)
    for made in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
        made.result(30)
    for variable, value in (("KEYS", "keys"), ("STATE", "state")):
        monkeypatch.setenv(f"BOUTRE_{variable}", str(tmp_path / value))
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap)
    assert 0 == boutre("begin").exit_code
    yield broker
    for gone in admin.delete_topics(list(topics)).values():
        gone.result(30)


def boutre(*words: str) -> Result:
    """Run the command here."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "cases", *words])


def followed(*words: str) -> tuple[int, int]:
    """Follow to the end; gives how many messages were read, and how many keys are destroyed by now."""
    done = boutre("follow", "--once", *words)
    assert 0 == done.exit_code, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    return told["taken"], told["destroyed"]


def person(reference: str) -> Value:
    """A report that names somebody."""
    return kwassa(reference, narrative=[{"language": "fr", "text": "Personne de réel"}])


def report(kafka: Broker, vault: Vault, *values: Value) -> None:
    """Send reports as their connectors do, and among them what concerns nobody: positions, bytes, nothing."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    for value in values:
        out = national("interception", value, cases=VaultPool(vault, "comoros"))
        producer.produce(out.topic, out.value, out.key)
    position = national("sighting", track("T-1"))
    producer.produce(position.topic, position.value, position.key)
    for nothing in (b"garbage", None):
        producer.produce(REPORTS, nothing)
    assert 0 == producer.flush(30)


def take_back(kafka: Broker, *values: Value, commit: bool = True) -> None:
    """Write recalls as accept does, in a transaction."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "accept", "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in values:
        told = recall(value, "interception")
        producer.produce(RECALLS, CODEC.encode("retraction", {**told, "recall": {**told["recall"], "scope": "erase"}}))
    if commit:
        producer.commit_transaction(30)
    else:
        producer.flush(30)
        producer.abort_transaction(30)


def test_what_is_recalled_is_destroyed_before_and_after_its_record(kafka: Broker, admin: AdminClient, tmp_path: Path) -> None:
    """
    A recall that was taken back with its transaction erases nothing; a second look finds nothing new; a gap is told, and gone past.
    """
    after, before, kept = person("K-1"), person("K-2"), person("K-3")
    with Vault.of(tmp_path / "keys" / "vault") as vault:
        take_back(kafka, before)
        take_back(kafka, kept, commit=False)
        report(kafka, vault, after, kept)
        assert (6, 0) == followed()
        report(kafka, vault, before)
        take_back(kafka, after)
        assert (5, 2) == followed()
        assert (0, 2) == followed()
        assert [0, 0, 1] == [boutre("show", value["id"]).exit_code for value in (after, before, kept)]

        # Retention takes all that was read, marks of transactions too: nothing is missing.
        places = {topic: offset for (topic, _), offset in vault.places().items()}
        cut = [TopicPartition(topic, 0, OFFSET_END) for topic, offset in places.items() if offset]
        assert {RECALLS, REPORTS, "national.observatory-ais.sighting"} == {place.topic for place in cut}
        for done in admin.delete_records(cut).values():
            assert done.result(30)
        assert (0, 2) == followed()

        # And then what was not read yet.
        report(kafka, vault, person("K-4"))
        for done in admin.delete_records([TopicPartition(REPORTS, 0, places[REPORTS] + 1)]).values():
            assert done.result(30)
        said = boutre("follow", "--once")
        assert 1 == said.exit_code
        assert f"{REPORTS}, partition 0: the vault goes on at offset {places[REPORTS]}, and Kafka holds" in said.stderr
        assert "boutre cases retire MEMBER" in said.stderr
        assert (3, 2) == followed("--past-gap")
        assert (0, 2) == followed()


@pytest.mark.parametrize("compress", [batches.zstd, batches.gzip])
def test_no_batch_that_a_member_sends_keeps_an_erasure_from_being_done(
    kafka: Broker, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """
    One that grows to 150 megabytes, a header whose name is no text: what stands behind is read, and no such memory is taken.
    """
    value = person("K-1")
    whole = compress(batches.batch([(b"x", b"\0" * 75_000_000, [])] * 2))
    odd = batches.batch([(b"x", b"x", [(batches.Name(b"\xff"), b"x")])])
    for spoilt in (whole, odd):
        batches.send(kafka.bootstrap, REPORTS, spoilt)
    with Vault.of(tmp_path / "keys" / "vault") as vault:
        report(kafka, vault, value)
    take_back(kafka, value)
    del whole
    begin = peak(anew=True)

    assert (8, 1) == followed()
    assert peak() - begin < 80_000_000


def peak(*, anew: bool = False) -> int:
    """The most bytes of memory that this process has had; *anew* from now on."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
