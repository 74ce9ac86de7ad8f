"""
The connector that the page shows is one: it runs as it stands there, and keeps the contract.
"""

from __future__ import annotations

import re
from pathlib import Path

from boutre.connectors import feeds
from boutre.connectors.contract import SourceContract
from boutre.connectors.known import Known
from boutre.connectors.sdk import Bad, Raw
from boutre.schemas import lock, vocabulary

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
SAMPLE = """\
1;2024-03-01T06:30:05+03:00;-11.95;49.26;22
2;2024-03-01T06:31;-11.95;49.26;22
3;half past six;-11.95;49.26;22
4;2024-03-01T06:32:00+03:00;-11.96
5;2024-03-01T06:33:00+03:00;-11.97;49.25;21.5
"""
FEED = """
member = "madagascar"
kinds = ["sighting"]
source = "radar.py:read"
[options]
path = "radar.log"
[handling]
tlp = "AMBER"
"""


def shown(mark: str) -> str:
    """The code that stands on the page behind a mark."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def feed(folder: Path) -> feeds.Feed:
    """A bus with the connector, its declaration and a log."""
    (folder / "connectors").mkdir()
    (folder / "connectors" / "radar.py").write_text(shown("connector: radar.py"))
    (folder / "connectors" / "radar.toml").write_text(FEED)
    (folder / "radar.log").write_text(SAMPLE)
    known = Known.of(lock.load(), vocabulary.load(lock.core() / "vocabularies").has)
    return feeds.one(folder, "radar", known)


def test_the_connector_on_the_page_reads_its_log(tmp_path: Path) -> None:
    """Contacts are reports, lines that are wrong are put aside."""
    found = feed(tmp_path)

    items = list(found.source(found.options))

    assert [Raw, Raw, Bad, Bad, Raw] == [type(item) for item in items]
    assert [item.reference for item in items if isinstance(item, Raw)] == ["1", "2", "5"]


def test_the_connector_on_the_page_keeps_the_contract(tmp_path: Path) -> None:
    """Each check of the contract holds; the time without a zone in this log is refused by the bus, with its field."""
    found = feed(tmp_path)
    names = {"SourceContract": SourceContract, "SAMPLE": found.options.path, "radar": RadarModule(found)}
    exec(shown("contract: test_radar.py"), names)  # noqa: S102 - the page's own code, as its reader would run it
    contract = names["TestRadar"]
    assert isinstance(contract, type)

    for name in [name for name in dir(contract) if name.startswith("test_")]:
        getattr(contract(), name)()


class RadarModule:
    """
    The module of the page, as a test would import it.
    """

    def __init__(self, found: feeds.Feed) -> None:
        self.read = found.source
        self.Options = found.source.options


def test_the_connector_is_as_short_as_the_page_says() -> None:
    """Some 25 lines without blank ones and docstrings."""
    lines = [line for line in shown("connector: radar.py").splitlines() if line.strip() and not line.strip().startswith('"""')]

    assert len(lines) <= 30


def test_every_key_of_a_feed_stands_on_the_page() -> None:
    """And every reading of a delimited file: a page that leaves one out is wrong from then on."""
    for name in feeds.FeedFile.model_fields:
        assert f"{name}`" in PAGE or f"[{name}]" in PAGE or name == "note"
    for reading in ("text", "words", "number", "count", "moment", "code", "claim", "ignore"):
        assert f"| `{reading}` |" in PAGE
