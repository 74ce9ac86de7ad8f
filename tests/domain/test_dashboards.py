"""
The dashboards: as they are declared, as Grafana's own model reads them, and asking for nothing that no process has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanaDashboard
from ruamel.yaml import YAML

from boutre.errors import Fault
from boutre.ops.alarms.rules import rules
from boutre.ops.assembly import assemble
from boutre.ops.dashboards_command import drawn, files
from boutre.ops.panels import declared
from boutre.ops.panels.asking import Span, query
from boutre.ops.panels.declared import WIDE
from boutre.ops.panels.grafana import SOURCE, UNITS
from boutre.ops.rules_command import alarms, names
from scraped import LABELS, OF_PROMETHEUS, scrape

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "ops" / "grafana"
FILE: Final = drawn(ROOT)
WRITTEN: Final = files(FILE)
RULES: Final = rules(alarms(ROOT), names(assemble(ROOT).pipeline))


def test_what_is_committed_is_what_is_declared() -> None:
    """
    The files that Grafana imports are those that boutre dashboards writes, and there are no others.
    """
    there = {path.relative_to(FOLDER / "dashboards").as_posix(): path for path in FOLDER.rglob("dashboards/*/*.json")}

    assert WRITTEN.keys() == there.keys()
    for name, path in there.items():
        assert WRITTEN[name] == path.read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", WRITTEN)
def test_grafana_reads_all_that_is_written(name: str) -> None:
    """
    Through Grafana's own model nothing is lost and nothing becomes other: each key is one that it knows, where it expects it.
    """
    plugins.register_default_plugins()
    table = json.loads(WRITTEN[name])
    read = json.loads(JSONEncoder().encode(GrafanaDashboard.from_json(table)))

    assert [] == list(changed(table, read))


def changed(written: object, read: object, at: str = "") -> Iterator[str]:
    """Where what was read is not what was written; what Grafana adds of its own is not told."""
    match written, read:
        case dict(), dict():
            for key, value in written.items():
                yield from changed(value, read[key], f"{at}.{key}") if key in read else [f"{at}.{key} is lost"]
        case list(), list():
            if len(written) != len(read):
                yield f"{at} has {len(read)} in place of {len(written)}"
            for number, (one, other) in enumerate(zip(written, read, strict=False)):
                yield from changed(one, other, f"{at}[{number}]")
        case _ if written != read:
            yield f"{at}: {read!r} in place of {written!r}"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_dashboard_can_be_imported_anywhere(name: str) -> None:
    """
    It has an id of its own, no id of a server, and takes its data from a variable; panels lie side by side, and on no other.
    """
    table = json.loads(WRITTEN[name])
    language, _, title = name.partition("/")
    places = [panel["gridPos"] for panel in table["panels"]]

    assert f"boutre-{title.removesuffix('.json')}-{language}" == table["uid"]
    assert "id" not in table
    assert "datasource" == table["templating"]["list"][0]["name"]
    for panel in table["panels"]:
        assert SOURCE == panel["datasource"] == panel["targets"][0]["datasource"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS.values()
    assert all(place["x"] + place["w"] <= WIDE for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert len({table["uid"] for table in map(json.loads, WRITTEN.values())}) == len(WRITTEN)


def test_grafana_is_given_the_folder_and_the_source() -> None:
    """
    What compose hands to Grafana names the folders that are there, and the Prometheus that runs beside it.
    """
    yaml = YAML(typ="safe")
    providers = yaml.load((FOLDER / "provisioning" / "dashboards" / "boutre.yml").read_text(encoding="utf-8"))["providers"]
    (source,) = yaml.load((FOLDER / "provisioning" / "datasources" / "boutre.yml").read_text(encoding="utf-8"))["datasources"]
    services = yaml.load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    mounted = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"] if volume.startswith("./"))

    assert {f"{mounted['./ops/grafana/dashboards']}/{language}" for language in ("en", "fr")} == {
        one["options"]["path"] for one in providers
    }
    assert "/etc/grafana/provisioning" == mounted["./ops/grafana/provisioning"]
    assert "http://prometheus:9090" == source["url"]


INSIDE: Final = ("expr", "lhs", "rhs", "vector_selector")


def parts(expression: object) -> Iterator[Any]:
    """What an expression is made of."""
    for part in INSIDE:
        inner = getattr(expression, part, None)
        if inner is not None:
            yield inner
    yield from getattr(expression, "args", None) or ()


def asked(expression: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every metric of an expression, and the labels that it is chosen by."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name or "", tuple(one.name for one in expression.matchers.matchers)
    for inner in parts(expression):
        yield from asked(inner)


def grouped(expression: object) -> Iterator[tuple[frozenset[str], object]]:
    """Every aggregation that says by which labels, and what it is of."""
    modifier = getattr(expression, "modifier", None)
    if isinstance(expression, promql_parser.AggregateExpr) and modifier is not None:
        yield frozenset(modifier.labels), expression.expr
    for inner in parts(expression):
        yield from grouped(inner)


def test_what_is_held_to_is_what_is_scraped() -> None:
    """
    Every name that expressions may ask for is told by the registries of the processes when they are scraped.
    """
    told = set(re.findall(r"^# TYPE (\w+) ", scrape(), re.MULTILINE))

    for name in LABELS:
        assert any(name.removesuffix(suffix) in told for suffix in ("", "_bucket", "_sum", "_count")), name


SPAN: Final = Span.until(1_800_000_000, 21_600)
EXPRESSIONS: Final[Mapping[str, str]] = {
    **{f"{one.name} {at}": query(panel, SPAN).given["query"] for one in FILE.dashboard for at, panel in enumerate(one.panel, 1)},
    **{rule.name: rule.expr for rule in RULES},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_what_a_process_has(name: str) -> None:
    """
    Read by a parser of PromQL: each metric is on a real scrape, and each label by which it is chosen or summed is one that it has.
    """
    tree = promql_parser.parse(EXPRESSIONS[name])
    found = list(asked(tree))

    assert found
    for metric, labels in found:
        assert metric in LABELS or metric in OF_PROMETHEUS, metric
        known = LABELS.get(metric, frozenset()) | OF_PROMETHEUS.get(metric, frozenset()) | {"instance", "job", "service"}
        assert set(labels) <= known, (metric, labels)
    for by, inner in grouped(tree):
        # What is compared by `on ()` lends its labels to what has none.
        held = frozenset[str]().union(*(LABELS.get(metric, frozenset()) for metric, _ in asked(inner)))
        assert by <= held | {"instance", "job", "service"}, (name, by)


def test_a_legend_names_labels_that_are_there() -> None:
    """
    Whatever a line or a row is called by is left over by its expression: a label of the aggregation, or of the metric.
    """
    for dashboard in FILE.dashboard:
        for panel in dashboard.panel:
            tree = promql_parser.parse(query(panel, SPAN).given["query"])
            holes = {part.partition("}}")[0] for part in panel.legend.split("{{")[1:]}
            by = [labels for labels, _ in grouped(tree)]
            left = (
                by[0]
                if by
                else frozenset().union(*(LABELS.get(metric, OF_PROMETHEUS.get(metric, frozenset())) for metric, _ in asked(tree)))
            )
            assert holes <= left, (dashboard.name, panel.en.title, holes - left)


def test_what_can_be_chosen_is_a_label_of_its_metric() -> None:
    """
    The variable of a dashboard has values, and every panel that asks for it has the label.
    """
    for dashboard in FILE.dashboard:
        if dashboard.by is not None:
            assert dashboard.by.label in LABELS[dashboard.by.metric]


GOOD: Final = """
[[dashboard]]
name = "some"
en = { title = "t" }
fr = { title = "t" }
[[dashboard.panel]]
kind = "lines"
width = 12
expr = 'rate(up[$rate])'
legend = "{{job}}"
unit = "number"
warn = 1
bad = 2
en = { title = "t" }
fr = { title = "t" }
"""


@pytest.mark.parametrize(
    ("was", "becomes", "key", "said"),
    [
        ("[$rate]", "[$window]", "dashboard[some].panel[1].expr", "$window"),
        ("[$rate]", "[$rate] $", "dashboard[some].panel[1].expr", "begins no name"),
        ("up[", 'up{x="$each"}[', "dashboard[some].panel[1].expr", "$each"),
        ('legend = "{{job}}"', "", "dashboard[some].panel[1].legend", "have one"),
        ("warn = 1", "warn = 3", "dashboard[some].panel[1].warn", "before bad"),
        ("bad = 2", "bad = 2\nbelow = true", "dashboard[some].panel[1].warn", "before bad"),
        ("bad = 2", "", "dashboard[some].panel[1].warn", "before bad"),
        ('"t" }\n[[', '"t" }\nby = { label = "job", metric = "up" }\n[[', "dashboard[some].by", "needs choose"),
        ('unit = "number"', 'unit = "metres"', "dashboard[some].panel[1].unit", "metres"),
        ("width = 12", "width = 25", "dashboard[some].panel[1].width", "24"),
    ],
)  # fmt: skip
def test_a_bad_dashboard_is_refused_with_its_place(tmp_path: Path, was: str, becomes: str, key: str, said: str) -> None:
    """
    What is wrong is said with file, table and key, and nothing is written.
    """
    path = tmp_path / declared.FILE
    path.parent.mkdir()
    faults: list[Fault] = []
    path.write_text(GOOD, encoding="utf-8")
    assert declared.load(tmp_path, faults) is not None
    assert [] == faults

    assert was in GOOD
    path.write_text(GOOD.replace(was, becomes), encoding="utf-8")

    assert declared.load(tmp_path, faults) is None
    assert any(fault.key == key and said in fault.message for fault in faults), faults
