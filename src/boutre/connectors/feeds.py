"""
Feeds as declarations: one file ``connectors/<feed>.toml`` each, read strictly, with everything that is wrong at once.

A feed says whose it is, which source reads it with which options, and what every record of it has in common: its origin, how it
may be handled, how far it can be believed. Its examples are tests (``examples.py``).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import Field, create_model

from boutre.connectors.known import Known
from boutre.connectors.sdk import Source
from boutre.connectors.sources_by_name import find
from boutre.errors import DeclarationError, Fault
from boutre.schemas.signature import MOST_TOGETHER
from boutre.topics.members import Published
from boutre.topics.strict import Declared, file_name, raise_all, read, table_of

FOLDER: Final = "connectors"
PUBLISHED: Final = get_args(Published)
KEEP_REJECTED_DAYS: Final = 30

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Origin(Declared):
    """
    Who reports, for every record that does not say it itself.
    """

    authority: str | None = None
    unit: str | None = None
    community: str | None = None
    language: str | None = None


class Handling(Declared):
    """
    What may be done with a record that does not say it itself; *tlp* has no default, since nobody can guess it.
    """

    tlp: str
    handling_codes: tuple[str, ...] = ()
    pap: str | None = None
    purposes: tuple[str, ...] = ()
    legal_basis: str | None = None
    retention_days: Annotated[int, Field(ge=1)] | None = None
    consent: str | None = None
    release_to: tuple[str, ...] = ()
    personal_data: bool | None = None


class Assessment(Declared):
    """
    How far a record can be believed that does not say it itself.
    """

    reliability: str | None = None
    credibility: str | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    validation: str | None = None


class Root(Declared):
    """
    A source on which the feed's reports stand.
    """

    name: str
    url: str | None = None
    licence: str | None = None


class Provenance(Declared):
    """
    What the feed's reports are made from.
    """

    sources: tuple[Root, ...] = ()
    method: str | None = None


class Example(Declared):
    """
    An input and what must come of it: fields by dotted path (*gives*), or the reason why it is refused (*refuses*).

    *raw* stands in a file that takes the place of the option *option*, named *file*; with *folder* the option is its folder.
    """

    name: str
    raw: str
    gives: dict[str, str | int | float | bool] | None = None
    refuses: str | None = None
    option: str = "path"
    file: str = "example.txt"
    folder: bool = False


class FeedFile(Declared):
    """
    What the file of a feed holds; its options are those of its source.
    """

    member: Name
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    source: str
    exercise: bool = False
    rhythm_hours: Annotated[float, Field(gt=0)] | None = None
    poll_s: Annotated[float, Field(gt=0)] = 5.0
    sign_batch: Annotated[int, Field(ge=1, le=MOST_TOGETHER)] = 1
    keep_rejected_days: Annotated[int, Field(ge=0, le=366)] = KEEP_REJECTED_DAYS
    note: str | None = None
    options: Any = None
    origin: Origin = Origin()
    handling: Handling
    assessment: Assessment | None = None
    provenance: Provenance = Provenance()
    example: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """
    One feed, ready to be run.

    *origin*, *handling* and *assessment* are groups of a record, which its reports fill up. *rhythm* is how often something is
    expected, so that silence can be told from calm; *poll_s* how many seconds a follower waits before it reads again; *sign_batch*
    how many records one signature may be for: more than one saves the bus most of its verifying, and makes each record larger;
    *keep_rejected_days* how long what it refused stays on its machine, 0 for not at all.
    """

    id: str
    member: str
    kinds: tuple[str, ...]
    source: Source[Any]
    options: Any
    handling: Mapping[str, Any]
    origin: Mapping[str, Any] = field(default_factory=dict)
    assessment: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    exercise: bool = False
    rhythm: timedelta | None = None
    poll_s: float = 5.0
    sign_batch: int = 1
    keep_rejected_days: int = KEEP_REJECTED_DAYS
    examples: tuple[Example, ...] = ()
    file: str = ""


def load(bus: Path, known: Known | None = None, members: frozenset[str] | None = None) -> tuple[Feed, ...]:
    """
    Read every feed of the folder *bus*, by id.

    With *known* every field and code that a feed names is looked up, with *members* its member. Raises ``DeclarationError`` with
    everything that is wrong in all files.
    """
    faults: list[Fault] = []
    feeds = [_feed(bus, path, faults, known, members) for path in sorted((bus / FOLDER).glob("*.toml"))]
    raise_all(faults)
    return tuple(feed for feed in feeds if feed is not None)


def one(bus: Path, feed: str, known: Known | None = None, members: frozenset[str] | None = None) -> Feed:
    """
    Read the feed with the id *feed*; a fault of another file does not stand in its way.
    """
    faults: list[Fault] = []
    path = bus / FOLDER / f"{feed}.toml"
    if not path.is_file():
        there = ", ".join(sorted(other.stem for other in (bus / FOLDER).glob("*.toml"))) or "none"
        raise DeclarationError([Fault(file_name(path, bus), "", f"no such feed; declared here: {there}")])
    found = _feed(bus, path, faults, known, members)
    raise_all(faults)
    if found is None:
        raise DeclarationError([Fault(file_name(path, bus), "", "cannot be read")])
    return found


def _feed(bus: Path, path: Path, faults: list[Fault], known: Known | None, members: frozenset[str] | None) -> Feed | None:
    file = file_name(path, bus)
    table = table_of(path, faults, root=bus)
    if table is None:
        return None
    source: Source[Any] | None = None
    try:
        source = find(str(table.get("source", "")), bus / FOLDER)
    except LookupError as error:
        if "source" in table:
            faults.append(Fault(file, "source", str(error)))
    # The options are read in one go with the rest, by the source's own dataclass, so that all faults come at once.
    model = create_model("FeedWithOptions", __base__=FeedFile, options=(_model(source), ...)) if source else FeedFile
    declared = read(path, model, faults, root=bus)
    if declared is None or source is None:
        return None
    try:
        options = _options(source, declared.options, bus)
    except (TypeError, ValueError, DeclarationError) as error:
        faults.append(Fault(file, "options", str(error)))
        return None
    found = Feed(
        id=path.stem,
        member=declared.member,
        kinds=declared.kinds,
        source=source,
        options=options,
        origin=declared.origin.model_dump(),
        handling=_lists(declared.handling.model_dump()),
        assessment=None if declared.assessment is None else declared.assessment.model_dump(),
        provenance=_lists(declared.provenance.model_dump()),
        exercise=declared.exercise,
        rhythm=None if declared.rhythm_hours is None else timedelta(hours=declared.rhythm_hours),
        poll_s=declared.poll_s,
        sign_batch=declared.sign_batch,
        keep_rejected_days=declared.keep_rejected_days,
        examples=declared.example,
        file=file,
    )
    wrong = list(_wrong(found, known, members))
    faults.extend(Fault(file, key, message) for key, message in wrong)
    return None if wrong else found


def _model(source: Source[Any]) -> type[Declared]:
    """Make a strict model of a source's options, so that a wrong key is named with the right one beside it."""
    hints = typing.get_type_hints(source.options, include_extras=True)
    fields: dict[str, Any] = {}
    for option in dataclasses.fields(source.options):
        default: Any = ...
        if option.default is not dataclasses.MISSING:
            default = option.default
        elif option.default_factory is not dataclasses.MISSING:
            default = Field(default_factory=option.default_factory)
        fields[option.name] = (hints[option.name], default)
    made: type[Declared] = create_model(f"Options of {source.name}", __base__=Declared, **fields)
    return made


def _options(source: Source[Any], declared: Declared, bus: Path) -> Any:
    """Make the source's options; relative paths are those of the bus folder."""
    given = {name: getattr(declared, name) for name in type(declared).model_fields}
    return source.options(**{name: bus / value if isinstance(value, Path) else value for name, value in given.items()})


def _lists(value: Any) -> Any:
    """Give *value* with lists in place of tuples, as a record has them."""
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, tuple) else value


def _wrong(feed: Feed, known: Known | None, members: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    if members is not None and feed.member not in members:
        yield "member", f"{feed.member} is no member of this bus; declare it in topics/members.toml"
    for number, example in enumerate(feed.examples, 1):
        if (example.gives is None) == (example.refuses is None):
            yield f"example[{number}]", "says either what it gives or why it is refused"
        if not hasattr(feed.options, example.option):
            yield f"example[{number}].option", f"{feed.source.name} has no option {example.option}"
    for kind in feed.kinds:
        if kind not in PUBLISHED:
            yield "kinds", f"{kind} is no kind that a member publishes; those are {', '.join(PUBLISHED)}"
    if known is not None:
        yield from _unknown(feed, known)


def _unknown(feed: Feed, known: Known) -> Iterator[tuple[str, str]]:
    """Look up the codes and fields that the feed and its options name."""
    said = [
        (f"{group}.{name}", code)
        for group in ("origin", "handling", "assessment")
        for name, value in (getattr(feed, group) or {}).items()
        for code in (value if isinstance(value, list) else [value])
        if isinstance(code, str)
    ]
    for path, code in said:
        infos = [known.fields[kind][path] for kind in feed.kinds if path in known.fields.get(kind, {})]
        if infos and (wrong := known.code(infos[0], code)):
            yield path, wrong
    check: Callable[[Known], Iterator[tuple[str, str]]] | None = getattr(feed.options, "faults", None)
    if check is not None:
        yield from ((f"options.{key}", message) for key, message in check(known))
