"""
The acceptance test of release: three real records through connector, accept and release, against the table written beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from boutre.connectors import feeds
from boutre.connectors.record import Maker
from boutre.connectors.sdk import Raw
from boutre.ops.assembly import Assembly, assemble
from boutre.processors.decision import Outbound
from boutre.processors.local import LocalBus
from boutre.schemas.cases.groups import Opener
from boutre.schemas.keys import KeyFolder
from boutre.schemas.validation import Validator
from expected_views import NOT_RECORDS, differences, flat, tables

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 8, 30, 12, 345000, tzinfo=UTC)
TABLES = tables()


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    """
    This repository's own bus.
    """
    return assemble(ROOT)


@pytest.fixture(scope="module")
def keys(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    """
    Development keys.
    """
    folder = KeyFolder(tmp_path_factory.mktemp("keys"))
    folder.development(assembly.declarations.members, assembly.declarations.recipients)
    return folder


def released(table: Mapping[str, Any], assembly: Assembly, keys: KeyFolder) -> LocalBus:
    """
    Publish the table's record from its feed's real file on a bus in memory.
    """
    feed = feeds.one(ROOT, table["feed"])
    validator = Validator(assembly.codec.lock, assembly.vocabularies.has)
    maker = Maker(assembly.codec, validator.check, keys.private(feed.member), cases=keys.cases.keys(feed.member))
    bus = LocalBus(assembly.handlers(keys))
    for item in feed.source.read(feed.options, None):
        if isinstance(item, Raw) and item.reference == table["reference"]:
            message = maker.make(feed, item, NOW).message
            stamp = int(NOW.timestamp() * 1000)
            bus.publish([Outbound(message.topic, message.key, message.value, stamp, message.headers)])
    return bus


def records(bus: LocalBus, assembly: Assembly, keys: KeyFolder, topic: str) -> list[dict[str, Any]]:
    """
    Read a topic's records, with what is sealed under a case key open.
    """
    opener = Opener(assembly.codec, keys.cases.open().opening, demands=False)
    return [opener(assembly.codec.decode(out.value)).value for out in bus.read(topic)]


@pytest.mark.parametrize("name", TABLES)
def test_each_recipient_gets_exactly_its_view(name: str, assembly: Assembly, keys: KeyFolder) -> None:
    """
    Every field of the record is kept, coarsened or withheld for each recipient as the table says, and by the clause it names.
    """
    table = TABLES[name]
    bus = released(table, assembly, keys)
    (national,) = records(bus, assembly, keys, f"bus.{table['kind']}")

    assert table["holds"].items() <= flat(national).items()
    for recipient in assembly.declarations.recipients:
        row = table[recipient]
        views = records(bus, assembly, keys, f"for.{recipient}.{table['kind']}")
        receipts = {one["recipient"]: one for one in records(bus, assembly, keys, "bus.receipt")}
        told = (receipts[recipient]["outcome"], receipts[recipient]["reason"])

        assert (row.get("outcome", "delivered"), row.get("reason")) == told, recipient
        assert [[]] * len(views) == [differences(row, national, view) for view in views], recipient
        assert len(views) == (1 if told[0] == "delivered" else 0)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_speaks_of_every_recipient(name: str, assembly: Assembly) -> None:
    """
    No recipient is left out of the table, and none stands in it that the bus does not have.
    """
    assert set(assembly.declarations.recipients) == set(TABLES[name]) - NOT_RECORDS


def test_a_changed_view_is_noticed(assembly: Assembly, keys: KeyFolder) -> None:
    """
    The comparison itself can fail: a value that is changed, added or withheld by another clause is told.
    """
    table = TABLES["corridor-interception"]
    bus = released(table, assembly, keys)
    (national,) = records(bus, assembly, keys, "bus.interception")
    (view,) = records(bus, assembly, keys, "for.rcoc.interception")

    assert [] == differences(table["rcoc"], national, view)
    assert differences(table["rcoc"], national, {**view, "position": {**view["position"], "latitude": -12.5}})
    assert differences(table["rcoc"], national, {**view, "narrative": national["narrative"]})
    assert differences(table["rcoc"], national, {**view, "craft": None})
    assert differences({**table["rcoc"], "withheld": {**table["rcoc"]["withheld"], "narrative": "x"}}, national, view)
