"""
What an integrator needs to write a sink: a function and a dataclass of options.

    @dataclass(frozen=True)
    class Options:
        url: str

    @sink("bell")
    def write(options: Options, batch: Sequence[Delivery]) -> None:
        '''Ring once for each alert.'''
        for view in batch:
            ring(options.url, view.id)

Returning means delivered: all of the batch has had its effect, and would still have it after a power cut. There are two other
answers. ``Retry`` says that it cannot be done now; the same batch comes again. ``Refuse`` says that this view can never be taken;
of a batch of several the runner finds out which by giving them one by one, so a sink must bear views that it has had before: after
a crash it gets some again anyway. A view is known by its ``id``.

A sink that holds something open between batches (a file, a connection) names a context manager that opens it from the options; what
that gives then stands in the place of the options:

    @sink("folder", opens=open_folder)
    def write(folder: Folder, batch: Sequence[Delivery]) -> None: ...

The runner owns the rest: reading, batches, positions, retries, dead letters, metrics.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, is_dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, Generic, TypeAlias, TypeVar

from boutre.connectors.delivery import Delivery
from boutre.errors import DeclarationError, Fault

GROUP: Final = "boutre.sinks"
"""
The group of entry points under which an integrator's sinks are found:

    [project.entry-points."boutre.sinks"]
    bell = "acme.bell:write"
"""

SHIPPED: Final[Mapping[str, str]] = {
    "geojson": "boutre.connectors.sinks.geojson:write",
    "jsonl": "boutre.connectors.sinks.jsonl:write",
    "migration": "boutre.connectors.sinks.migration.database:write",
}
"""
The sinks that ship with the bus; nobody else's can take their names.
"""

Options = TypeVar("Options")
Write: TypeAlias = Callable[[Sequence[Delivery]], None]


@dataclass(frozen=True, slots=True)
class Sink(Generic[Options]):
    """
    A declared sink: its name, the class of its options, how it opens and how it writes.
    """

    name: str
    options: type[Options]
    opens: Callable[[Options], AbstractContextManager[Any]] | None
    write: Callable[[Any, Sequence[Delivery]], None]
    summary: str

    @contextmanager
    def open(self, options: Options) -> Iterator[Write]:
        """
        Give what takes a batch, as long as the block lasts.
        """
        if self.opens is None:
            yield partial(self.write, options)
        else:
            with self.opens(options) as opened:
                yield partial(self.write, opened)


def sink(
    name: str,
    *,
    opens: Callable[[Any], AbstractContextManager[Any]] | None = None,
    options: type[Any] | None = None,
) -> Callable[[Callable[[Any, Sequence[Delivery]], None]], Sink[Any]]:
    """
    Declare a sink; *options*, or else the first parameter of *opens* or of the function, names its dataclass of options.

    Raises DeclarationError where no class of options can be found.
    """

    def declare(write: Callable[[Any, Sequence[Delivery]], None]) -> Sink[Any]:
        hints = typing.get_type_hints(getattr(opens, "__wrapped__", opens) if opens is not None else write)
        hints.pop("return", None)
        kind = options or next(iter(hints.values()), None)
        if not (isinstance(kind, type) and is_dataclass(kind)):
            raise DeclarationError([Fault(write.__module__, name, "the first parameter names its dataclass of options")])
        summary = (write.__doc__ or "").strip().splitlines()
        return Sink(name, kind, opens, write, summary[0] if summary else "")

    return declare


def names() -> tuple[str, ...]:
    """
    Give the names of all sinks that there are.
    """
    return tuple(sorted({*SHIPPED, *(point.name for point in entry_points(group=GROUP))}))


def find(name: str) -> Sink[Any]:
    """
    Give the sink of this name; raises DeclarationError, with the names that there are.
    """
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    target = SHIPPED.get(name) or others.get(name)
    if target is None:
        raise DeclarationError([Fault("sink", name, f"there is no such sink; there are: {', '.join(names())}")])
    module, _, attribute = target.partition(":")
    found = getattr(import_module(module), attribute, None)
    if not isinstance(found, Sink):
        raise DeclarationError([Fault("sink", name, f"{target} is not declared with @sink")])
    return found
