"""
The same reports linked by Splink, a library for record linkage, as its documentation tells: for comparison, and never on the bus.

What it compares: days between (under 1, 2, 3, 5), kilometres between (1, 10, 25, 60, 120, 350, 1000) and names, by its own
Jaro-Winkler levels with a weight for rare ones, after our own cleaning of names. *u* comes from random pairs, *m* from pairs that
are known: expectation and maximisation, which its tutorial uses where nothing is known, did worse on these reports.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from boutre.processors.matching.distances import DAY_S
from boutre.processors.matching.found import SAME_EVENT, Found, found
from boutre.processors.matching.judged import Known
from boutre.processors.matching.names import ShipNames
from boutre.processors.matching.sighted import Sighted

HOW_TO_INSTALL: Final = "Splink is not installed: pip install 'boutre[evaluation]'"
NEEDS: Final = ("splink", "duckdb", "pyarrow")

DAYS: Final = (1, 2, 3, 5)
KILOMETRES: Final = (1, 10, 25, 60, 120, 350, 1000)
ALIKE: Final = (0.95, 0.88, 0.8)
SEED: Final = 7
RANDOM_PAIRS: Final = 1e7


def installed() -> bool:
    """
    Say whether Splink and what it stands on are there.
    """
    return all(find_spec(name) is not None for name in NEEDS)


def splink(reports: Sequence[Sighted], names: ShipNames, labels: Known) -> list[Found]:
    """
    Give every pair that Splink compared, with its probability, the likeliest first. It learns from *labels*, known pairs.
    """
    library = import_module("splink")
    sources = sorted({one.source for one in reports})
    placed = [one for one in reports if one.placed]
    database = library.DuckDBAPI()
    with _quiet():
        tables = [
            database.register(_table((one for one in placed if one.source == source), names), dataset_display_name=f"feed_{at}")
            for at, source in enumerate(sources)
        ]
        linker = library.Linker(tables, _settings(library, named=any(one.claimed("name") for one in placed)), log_level=None)
        _train(linker, database, _labels(placed, sources, labels))
        rows = linker.inference.predict(warning_mode="never").as_record_list()
    made = [
        found(str(row["unique_id_l"]), str(row["unique_id_r"]), SAME_EVENT, "splink", float(row["match_probability"]))
        for row in rows
    ]
    return sorted(made, key=lambda one: (-one.probability, one.a, one.b))


def _table(reports: Iterable[Sighted], names: ShipNames) -> Any:
    chosen = list(reports)
    columns = {
        "unique_id": [one.id for one in chosen],
        "day": [math.floor((one.at or 0.0) / DAY_S) for one in chosen],
        "latitude": [one.latitude for one in chosen],
        "longitude": [one.longitude for one in chosen],
        "name": [next((name.text for raw in one.claimed("name") for name in names.normal(raw)), None) for one in chosen],
    }
    arrow = import_module("pyarrow")
    kinds = [arrow.string(), arrow.int64(), arrow.float64(), arrow.float64(), arrow.string()]
    return arrow.table(list(columns.values()), schema=arrow.schema(list(zip(columns, kinds, strict=True))))


def _settings(library: Any, *, named: bool) -> Any:
    comparisons = import_module("splink.comparison_library")
    levels = import_module("splink.comparison_level_library")
    days = comparisons.CustomComparison(
        output_column_name="day",
        comparison_levels=[
            levels.NullLevel("day"),
            *(levels.CustomLevel(f"abs(day_l - day_r) < {most}", label_for_charts=f"under {most} days") for most in DAYS),
            levels.ElseLevel(),
        ],
    )
    distance = comparisons.DistanceInKMAtThresholds("latitude", "longitude", list(KILOMETRES))
    name = comparisons.JaroWinklerAtThresholds("name", list(ALIKE)).configure(term_frequency_adjustments=True)
    return library.SettingsCreator(
        link_type="link_only",
        comparisons=[days, distance, *([name] if named else [])],
        blocking_rules_to_generate_predictions=[f"abs(l.day - r.day) <= {DAYS[-1]}"],
    )


def _train(linker: Any, database: Any, labels: list[dict[str, str]]) -> None:
    # How rare a match is among all pairs: by those of one day and place, taken to be half of all.
    linker.training.estimate_probability_two_random_records_match(
        ["l.day = r.day and abs(l.latitude - r.latitude) < 0.1 and abs(l.longitude - r.longitude) < 0.1"], recall=0.5
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    linker.training.estimate_m_from_pairwise_labels(database.register(import_module("pyarrow").Table.from_pylist(labels)))


def _labels(reports: Sequence[Sighted], sources: Sequence[str], known: Known) -> list[dict[str, str]]:
    table = {one.id: f"feed_{sources.index(one.source)}" for one in reports}
    sides = [sorted(pair, key=lambda side: table.get(side, "")) for pair in known if all(side in table for side in pair)]
    return [
        {"source_dataset_l": table[one], "unique_id_l": one, "source_dataset_r": table[other], "unique_id_r": other}
        for one, other in sides
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink tells every step in its log; what it warns of is known and told above."""
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
