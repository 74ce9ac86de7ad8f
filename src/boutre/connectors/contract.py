"""
What every source must keep to, as tests that come with the bus: inherit them in the tests of a connector.

    class TestTracks(SourceContract):
        source = tracks.read
        options = tracks.Options(SAMPLE)
        kinds = ("sighting",)

The sample should hold good reports and bad ones. A source that never ends is read for its first `limit` items.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from boutre.connectors.feeds import Feed
from boutre.connectors.record import build
from boutre.connectors.sdk import Bad, Noted, Raw, Source
from boutre.errors import Refuse
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.validation import Validator

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""The clock of the contract: late enough that no sample lies in the future."""


class SourceContract:
    """
    The promises of a source: the runner relies on each of them.

    *handling* is what a feed of this source would declare.
    """

    source: ClassVar[Source[Any]]
    options: ClassVar[Any]
    kinds: ClassVar[tuple[str, ...]] = ("sighting",)
    handling: ClassVar[dict[str, Any]] = {"tlp": "AMBER"}
    limit: ClassVar[int] = 2_000
    resumes: ClassVar[int] = 12
    least_records: ClassVar[int] = 1

    def test_two_runs_give_the_same(self) -> None:
        """The same input gives the same references, values and cursors: a report that is read again is the same report."""
        first, second = self._items(), self._items()

        assert first == second

    def test_resuming_after_any_cursor_gives_exactly_the_rest(self) -> None:
        """A run that stops after an item goes on with the next: nothing is left out, nothing comes twice."""
        items = self._items()
        steps = max(1, len(items) // self.resumes)

        for number in sorted({*range(0, len(items), steps), len(items) - 1}):
            rest = self._items(items[number].cursor)[: self.limit - number - 1]

            assert items[number + 1 :] == rest, f"after item {number} with the cursor {items[number].cursor}"

    def test_there_are_records(self) -> None:
        """The sample holds something: a contract kept on nothing says nothing."""
        assert len([item for item in self._items() if isinstance(item, Raw)]) >= self.least_records

    def test_what_it_gives_is_well_formed(self) -> None:
        """Kinds are declared, references and cursors are texts."""
        for item in self._items():
            assert isinstance(item.cursor, str)
            assert isinstance(item.reference, str)
            assert item.reference.strip()
            if isinstance(item, Raw):
                assert item.kind in self.kinds

    def test_every_report_is_a_record_or_refused_for_a_known_reason(self) -> None:
        """What a source gives makes a valid record, or its owner is told why not by a code that has a sentence."""
        reasons = {code.code for code in self._reasons()}
        codec = Codec(lock.load())
        validate = Validator(codec.lock, vocabulary.load(lock.core() / "vocabularies").has).check
        feed = self._feed()

        for item in self._items():
            code = item.code if isinstance(item, Bad) else None
            if isinstance(item, Raw):
                try:
                    value = build(feed, item, NOW)
                    codec.encode(item.kind, value)
                    problems = validate(item.kind, value, NOW)
                    code = problems[0].code if problems else None
                except Refuse as refusal:
                    code = refusal.code

            assert code is None or code in reasons
            # A source that makes what its own bus cannot write is wrong, not its input.
            assert code != "internal-error"

    def _items(self, after: str | None = None) -> list[Raw | Bad | Noted]:
        return list(islice(self.source(self.options, after), self.limit))

    def _feed(self) -> Feed:
        return Feed("contract", "contract", self.kinds, self.source, self.options, self.handling)

    def _reasons(self) -> tuple[vocabulary.Term, ...]:
        return vocabulary.load(Path(lock.core(), "vocabularies")).every["reject-reason@1"].code
