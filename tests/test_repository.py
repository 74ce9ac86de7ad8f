"""
The house rules, as far as a machine can hold them: layers, rooms and their size, names, words, links, licences.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from boutre import __version__

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = sorted((ROOT / "src" / "boutre").rglob("*.py"))

LARGEST: Final = 300
"""Lines of a module: about what a reader holds in mind."""

LARGER: Final[dict[str, str]] = {
    "connectors/kafka_views.py": "one reader: its group, its positions and the ends of its partitions are one idea",
    "connectors/sources/form_fields.py": "the one table of boxes by which forms are written and read; most of it is that table",
    "schemas/fields.py": "a walk over an Avro schema and the rules of one field belong together, and are read together",
}
"""Modules that may be larger, each with its reason."""

VAGUE: Final = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc", "tools", "lib", "core"}
"""Names that say nothing of what stands in a module."""

KAFKA_CLIENTS: Final = {"confluent_kafka", "aiokafka", "faust", "mode"}
"""Libraries that know Kafka or run on it, for the rim alone."""

RIM: Final = (
    re.compile(r"processors/runtime/\w+\.py"),
    re.compile(r"connectors/(kafka_\w+|consumer|runner\w*)\.py"),
    re.compile(r"ops/\w+\.py"),
)
"""Modules in which a Kafka client may stand."""

UNWANTED: Final = {
    "a path of one machine": re.compile(r"(?<![\w.}])/(?:home|root|work|Users)/\w"),
    "a package index of one machine": re.compile(
        r"(?:extra-index|index)-url|trusted-host|PIP_(?:INDEX|PROXY)|\w+_proxy=http", re.IGNORECASE
    ),
    "the number of a task": re.compile(r"\bissues? (?:no\. ?|#)?\d", re.IGNORECASE),
    "who typed it": re.compile(r"\bsub-?agents?\b|\blanguage models?\b|\bAI[- ]generated\b|\bco-authored-by\b", re.IGNORECASE),
}
"""What belongs to whoever writes, and not into the project."""

TEXTS: Final = {".py", ".md", ".toml", ".yml", ".yaml", ".avsc", ".sql", ".json", ".txt", ".cfg", ".sh", ""}
"""Files that people write; samples are what their sources made of them."""


def module(path: Path) -> str:
    """
    A module by its place in the package.
    """
    return path.relative_to(ROOT / "src" / "boutre").as_posix()


@cache
def files() -> tuple[Path, ...]:
    """
    Every file of the project: what git has or would take; without git, what no folder of .gitignore holds.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        found = {ROOT / name.decode() for name in done.stdout.split(b"\0") if name}
    else:
        ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()} | {".git"}
        found = {path for path in ROOT.rglob("*") if not ignored & set(path.relative_to(ROOT).parts)}
    return tuple(sorted(path for path in found if path.is_file()))


def written() -> Iterator[tuple[str, str]]:
    """
    Every text that people wrote, with its place.
    """
    for path in files():
        place = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXTS and not place.startswith("samples/"):
            yield place, path.read_text(encoding="utf-8")


def imports(path: Path) -> set[str]:
    """
    The top-level packages that a module imports, anywhere in it.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def test_the_layers_hold() -> None:
    """
    Rooms stand on one another as declared, and only one package knows Faust.
    """
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_kafka_clients_stand_at_the_rim() -> None:
    """
    A Kafka client is imported by the runtime, the connectors' runners and the operations alone; Faust by the runtime alone.
    """
    users = {module(path): imports(path) & KAFKA_CLIENTS for path in SOURCES}
    strays = {name for name, used in users.items() if used and not any(place.fullmatch(name) for place in RIM)}
    of_faust = {name for name, used in users.items() if used - {"confluent_kafka"}}

    assert set() == strays
    assert of_faust
    assert all(name.startswith("processors/runtime/") for name in of_faust)


def test_rooms_are_small() -> None:
    """
    No module is longer than a reader can hold in mind, but for those that are named, each with a reason that still holds.
    """
    long = {module(path) for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > LARGEST}

    assert LARGER.keys() == long


def test_every_module_says_what_it_is_for() -> None:
    """
    Each module begins with a docstring.
    """
    silent = [module(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert [] == silent


def test_names_say_something() -> None:
    """
    No module and no folder of the package has a name that could stand over anything.
    """
    assert [] == [module(path) for path in SOURCES if VAGUE & {path.stem, *path.relative_to(ROOT / "src").parent.parts}]


def unreasoned(text: str) -> list[int]:
    """
    The lines that switch a rule off without naming it, or without a reason on the line or in a comment right above.
    """
    off = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(.*)")
    named = re.compile(r"(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[a-z-]+(?:,\s*[a-z-]+)*\])(.*)")
    lines = text.splitlines()
    bare = []
    above = False
    for number, line in enumerate(lines, 1):
        if (found := off.search(line)) is None:
            above = line.strip().startswith("#")
        elif (rule := named.match(found[1])) is None or not (above or re.match(r"\s*[-#]\s*\S", rule[1])):
            bare.append(number)
    return bare


def test_what_is_switched_off_says_which_and_why() -> None:
    """
    Each `noqa` and each `type: ignore` names its rule, and gives its reason.
    """
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files() if path.suffix == ".py"}
    here = Path(__file__).relative_to(ROOT).as_posix()

    assert [] == [f"{place}:{number}" for place, text in texts.items() if place != here for number in unreasoned(text)]


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("import x  # noqa: PLC0415 - optional at run time", []),
        ("import x  # noqa: PLC0415", [1]),
        ("import x  # noqa", [1]),
        ("import x  # noqa - because", [1]),
        ("# Optional at run time.\nimport x  # noqa: PLC0415\nimport y  # noqa: PLC0415", []),
        ("x = y  # type: ignore[arg-type]  # what it is about", []),
        ("x = y  # type: ignore", [1]),
    ],
)
def test_a_reason_is_one_that_is_there(line: str, bare: list[int]) -> None:
    """
    A reason stands on the line, or in a comment right above it and its like; a rule without name has none.
    """
    assert bare == unreasoned(line)


@pytest.mark.parametrize("what", UNWANTED)
def test_nothing_of_whoever_wrote_it_is_left(what: str) -> None:
    """
    No file holds a path, an address or a word that belongs to one machine or one session of work.
    """
    pattern = UNWANTED[what]
    here = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        f"{place}:{number}"
        for place, text in written()
        if place != here
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) or (what == "a path of one machine" and str(ROOT) in line)
    ]

    assert [] == found


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "see /home/somebody/notes"),
        ("a package index of one machine", "pip install --index-url https://here/simple"),
        ("the number of a task", "comes with issue 4"),
        ("who typed it", "Co-authored-by: nobody"),
    ],
)
def test_the_patterns_can_say_no(what: str, text: str) -> None:
    """
    Each pattern of what is unwanted finds what it is for.
    """
    assert UNWANTED[what].search(text)


def test_links_between_pages_lead_somewhere() -> None:
    """
    Each relative link of a Markdown page leads to a file or folder of the project.
    """
    link = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in files()
        if path.suffix == ".md"
        for target in link.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists()
    ]

    assert [] == broken


@pytest.mark.parametrize("index", ["docs/README.md", "docs/decisions/README.md"])
def test_an_index_names_every_page(index: str) -> None:
    """
    Each page of a folder stands in the folder's index, so that a reader finds it.
    """
    page = ROOT / index
    said = page.read_text(encoding="utf-8")

    assert [] == [other.name for other in sorted(page.parent.glob("*.md")) if other != page and f"({other.name})" not in said]


def test_decisions_are_numbered() -> None:
    """
    Each decision has a number of its own, the same in its file's name and in its title.
    """
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    titles = [page.read_text(encoding="utf-8").partition("\n")[0] for page in pages]

    assert len(pages) == len({page.name[:4] for page in pages})
    assert [int(page.name[:4]) for page in pages] == [int(title.removeprefix("# ").partition(".")[0]) for title in titles]


def test_every_dependency_has_its_reason() -> None:
    """
    Each library that pyproject.toml asks for stands in the table of libraries, and nothing else does.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[\[<>=!~; ]", one)[0] for one in asked} - {"boutre"}
    pages = (ROOT / "docs" / "decisions").glob("0*-libraries.md")
    rows = [row for page in pages for row in re.findall(r"^\| (`[^|]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)]
    told = {name for row in rows for name in re.findall(r"`([\w.-]+)`", row)}

    assert names == told


def test_the_changelog_knows_this_version() -> None:
    """
    What is in this version, and what comes next, stands in CHANGELOG.md; the version is one in both places.
    """
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == __version__
    assert "Unreleased" == headings[0] or __version__ == headings[0]


def test_foreign_data_have_their_source_and_licence() -> None:
    """
    Each sample and each zone file is accounted for in NOTICE.
    """
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    foreign = [path.relative_to(ROOT).as_posix() for path in files() if path.relative_to(ROOT).parts[0] == "samples"]
    foreign += [path.relative_to(ROOT).as_posix() for path in files() if path.suffix == ".geojson"]

    assert foreign
    assert [] == [place for place in foreign if place not in notice and f"{Path(place).parent.as_posix()}/ " not in notice]
