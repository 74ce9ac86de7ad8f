"""
The alarms as Prometheus has them: written from the declaration, and judged by Prometheus' own promtool around each boundary.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from alarm_case import Case
from alarm_cases import CASES
from boutre.errors import DeclarationError, Fault
from boutre.ops.alarms import declared
from boutre.ops.alarms.rules import PREFIX, Rule, number, rules, text
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from boutre.ops.rules_command import alarms, names
from scraped import scrape

ROOT: Final = Path(__file__).parents[2]
WRITTEN: Final = ROOT / "ops" / "prometheus" / "alarms.yml"
FILE: Final = alarms(ROOT)
NAMES: Final = names(assemble(ROOT).pipeline)
RULES: Final = {rule.name.removeprefix(PREFIX): rule for rule in rules(FILE, NAMES)}
PROMTOOL: Final = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None and not os.environ.get("BOUTRE_TEST_ALL"), reason="needs promtool: apt-get install prometheus"
)


def promtool(*words: str, given: str | None = None) -> str:
    """What promtool says; it must say that all is well."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *words], input=given, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_is_committed_is_what_is_declared() -> None:
    """
    The rule file that Prometheus is given is the one that boutre rules writes.
    """
    assert text(FILE, NAMES) == WRITTEN.read_text(encoding="utf-8")


def test_what_is_written_is_yaml() -> None:
    """
    The file reads as what was meant, and the groups hold every alarm once.
    """
    groups = YAML(typ="safe").load(WRITTEN.read_text(encoding="utf-8"))["groups"]

    assert [rule.table for rule in RULES.values()] == [rule for group in groups for rule in group["rules"]]
    assert {f"boutre-{alarm.page}" for alarm in FILE.alarm} == {group["name"] for group in groups}
    assert len(FILE.alarm) == len(RULES)


def test_prometheus_reads_the_rules() -> None:
    """
    The configuration of compose names the rule file.
    """
    config = YAML(typ="safe").load((WRITTEN.parent / "prometheus.yml").read_text(encoding="utf-8"))

    assert [WRITTEN.name] == config["rule_files"]
    assert {FILE.job} <= {one["job_name"] for one in config["scrape_configs"]}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_alarm_says_what_is_needed_in_both_languages(rule: Rule) -> None:
    """
    Severity, summary, description, and a runbook in English and French; no threshold is left as a name.
    """
    assert {"severity"} == rule.labels.keys()
    for behind in ("", "_fr"):
        assert all(rule.annotations[f"{part}{behind}"] for part in ("summary", "description", "runbook_url"))
    assert rule.annotations["runbook_url_fr"].removeprefix(FILE.runbooks).partition("#")[0].endswith(".fr.md")
    assert rule.annotations["description"] != rule.annotations["description_fr"]
    assert "$" not in rule.expr


def test_every_alarm_is_tried_on_both_sides_of_its_boundary() -> None:
    """
    For each there is a case in which it is given and ends, and one in which it just is not.
    """
    assert RULES.keys() == {case.alarm for case in CASES if case.begins is not None}
    assert RULES.keys() == {case.alarm for case in CASES if case.begins is None}


def checks(case: Case) -> Iterator[tuple[int, bool]]:
    """At which samples it must be given, and at which not."""
    rule = RULES[case.alarm]
    if case.begins is None or case.ends is None:
        yield from ((at, False) for at in range(case.after, case.lasts, 5))
        return
    waits = -(-rule.for_s // case.every_s)
    if case.begins + waits:
        yield case.begins + waits - 1, False
    yield case.begins + waits, True
    yield case.ends - 1, True
    if case.ends < case.lasts:
        yield case.ends, False


def tried(case: Case) -> dict[str, Any]:
    """One case, as promtool reads it."""
    rule = RULES[case.alarm]
    known = {"alertname": rule.name, "alertstate": "firing", **case.labels}
    asked = ", ".join(f'{name}="{value}"' for name, value in known.items())
    return {
        "name": f"{case.alarm}: {case.why}",
        "interval": f"{case.every_s}s",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f"count(ALERTS{{{asked}}})",
                "eval_time": f"{at * case.every_s}s",
                "exp_samples": [{"labels": "{}", "value": 1}] if given else [],
            }
            for at, given in checks(case)
        ],
    }


@needs_promtool
@pytest.mark.parametrize("name", RULES)
def test_an_alarm_is_given_when_it_should_be_and_not_before(tmp_path: Path, name: str) -> None:
    """
    Each case: silent up to the last look before, given at the first that it may, silent again as soon as it is over.
    """
    every_s = lambda case: case.every_s  # noqa: E731 - sorts and groups by the same
    for rate, cases in groupby(sorted((case for case in CASES if case.alarm == name), key=every_s), key=every_s):
        rule = tmp_path / "rule.json"
        rule.write_text(json.dumps({"groups": [{"name": name, "rules": [RULES[name].table]}]}), encoding="utf-8")
        file = {"rule_files": [rule.name], "evaluation_interval": f"{rate}s", "tests": [tried(case) for case in cases]}
        path = tmp_path / f"cases-{rate}.json"
        path.write_text(json.dumps(file), encoding="utf-8")

        assert "SUCCESS" in promtool("test", "rules", str(path))


@needs_promtool
def test_promtool_finds_nothing_wrong_with_rules_and_configuration() -> None:
    """
    Both files pass Prometheus' own check.
    """
    assert f"{len(RULES)} rules found" in promtool("check", "rules", str(WRITTEN))
    assert "SUCCESS" in promtool("check", "config", str(WRITTEN.parent / "prometheus.yml"))


@needs_promtool
def test_promtool_finds_nothing_wrong_with_a_scrape() -> None:
    """
    Names, types and help of every metric that the bus serves are as Prometheus asks for; kafka_exporter's are as they are.
    """
    ours = "".join(part for part in re.split(r"(?=^# HELP )", scrape(), flags=re.MULTILINE) if not part.startswith("# HELP kafka_"))

    assert "# HELP boutre_" in ours
    promtool("check", "metrics", given=ours)


def test_the_commands_write_what_is_declared(tmp_path: Path) -> None:
    """
    Alarms into a file, dashboards into a folder; and a bus without alarms is told so.
    """
    runner = CliRunner()
    done = runner.invoke(main, ["--bus", str(ROOT), "rules", "--to", str(tmp_path / "alarms.yml")])
    drawn = runner.invoke(main, ["--bus", str(ROOT), "dashboards", str(tmp_path / "dashboards")])

    assert (0, text(FILE, NAMES)) == (done.exit_code, (tmp_path / "alarms.yml").read_text(encoding="utf-8"))
    assert 0 == drawn.exit_code
    assert 10 == len(list((tmp_path / "dashboards").glob("*/*.json")))
    with pytest.raises(DeclarationError, match="there are no alarms"):
        alarms(tmp_path)


GOOD: Final = """
runbooks = "https://bus.example/runbooks/"
[[alarm]]
name = "Late"
page = "alarms-lag"
severity = "warning"
for_s = 0
expr = 'up > $most'
set = { most = 2 }
en = { summary = "s", description = "d" }
fr = { summary = "s", description = "d" }
"""


@pytest.mark.parametrize(
    ("was", "becomes", "key", "said"),
    [
        ("set = { most = 2 }", "", "alarm[Late].expr", "asks for $most"),
        ("most = 2 }", "most = 2, least = 1 }", "alarm[Late].set.least", "not asked for"),
        ("'up > $most'", "'up > $most $'", "alarm[Late].expr", "begins no name"),
        ("'up > $most'", "'up > $most or x{y=\"$each\"}'", "alarm[Late].each", "go together"),
        ("most = 2", "job = 2", "alarm[Late].set.job", "gives itself"),
        ('"warning"', '"urgent"', "alarm[Late].severity", "urgent"),
        ("for_s = 0", "for_s = -1", "alarm[Late].for_s", "greater than"),
        ("fr = {", "de = {", "alarm[Late].fr", "missing"),
        ("/runbooks/", "/runbooks", "runbooks", "pattern"),
    ],
)  # fmt: skip
def test_a_bad_alarm_is_refused_with_its_place(tmp_path: Path, was: str, becomes: str, key: str, said: str) -> None:
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


@pytest.mark.parametrize(("value", "shown"), [(10800.0, "10800"), (2147483648.0, "2147483648"), (0.1, "0.1"), (-1.0, "-1")])
def test_a_threshold_is_written_as_it_was_meant(value: float, shown: str) -> None:
    """
    Whole numbers stay whole, however large.
    """
    assert shown == number(value)


@pytest.mark.parametrize("ending", [".md", ".fr.md"])
def test_every_alarm_has_its_section_and_every_section_its_alarm(ending: str) -> None:
    """
    In both languages, on the page that the alarm names, under its own name; and no section is of an alarm that is no more.
    """
    folder = ROOT / "docs" / "runbooks"
    sections = {
        (page.name.removesuffix(ending), line.removeprefix("## "))
        for page in folder.glob(f"alarms-*{ending}")
        if ending != ".md" or not page.name.endswith(".fr.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("## ") and line not in {"## Walked", "## Essayé"}
    }

    assert {(alarm.page, alarm.name) for alarm in FILE.alarm} == sections


@pytest.mark.parametrize(
    ("ending", "parts"), [(".md", ("Means", "See", "Do", "Wake")), (".fr.md", ("Signifie", "Voir", "Faire", "Réveiller"))]
)
def test_every_section_says_what_it_means_where_to_look_what_to_do_and_whom_to_wake(ending: str, parts: tuple[str, ...]) -> None:
    """
    Whoever is woken finds the same four things each time; who is woken for what is not critical is nobody, or is asked to think.
    """
    for alarm in FILE.alarm:
        page = (ROOT / "docs" / "runbooks" / f"{alarm.page}{ending}").read_text(encoding="utf-8")
        section = page.partition(f"\n## {alarm.name}\n")[2].partition("\n## ")[0]

        assert list(parts) == [part for part in parts if f"**{part}** " in section], alarm.name
        if alarm.severity == "critical":
            woken = section.partition(f"**{parts[3]}** ")[2]
            assert not woken.startswith(("nobody", "personne")), alarm.name
