"""
Finds the source that a feed names.

``delimited`` is a source that is shipped, or one that an installed package offers under the entry point group
``boutre.connectors``; ``acme.tracks:read`` is a function of an importable module; ``tracks.py:read`` one of a file in the bus's
own folder ``connectors/``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from boutre.connectors.sdk import Source

GROUP: Final = "boutre.connectors"
SHIPPED: Final = ("ais", "delimited", "form", "lines")


def find(name: str, folder: Path) -> Source[Any]:
    """
    Give the source called *name*; LookupError with a sentence where there is none.
    """
    if name in SHIPPED:
        return _only(importlib.import_module(f"boutre.connectors.sources.{name}"), name)
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if name in offered:
        return _source(offered[name].load(), name)
    place, colon, function = name.rpartition(":")
    if not colon:
        known = ", ".join(sorted({*SHIPPED, *offered}))
        raise LookupError(f"{name or 'nothing'} is no source; known: {known}; or name one as module:function")
    module = _file(folder, place) if place.endswith(".py") else _module(place)
    return _source(getattr(module, function, None), name)


def _module(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ImportError as error:
        raise LookupError(f"the module {place} cannot be imported ({error}); install it beside boutre") from None


def _file(folder: Path, place: str) -> ModuleType:
    path = folder / place
    if Path(place).name != place or not path.is_file():
        raise LookupError(f"{place} does not stand in {folder.name}/")
    spec = importlib.util.spec_from_file_location(f"boutre_feed_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LookupError(f"{place} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        # Registered first: a dataclass looks up its own module while it is made.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except Exception as error:
        raise LookupError(f"{place} fails when it is loaded: {type(error).__name__}: {error}") from error
    return module


def _only(module: ModuleType, name: str) -> Source[Any]:
    return _source(next((own for own in vars(module).values() if isinstance(own, Source) and own.name == name), None), name)


def _source(found: object, name: str) -> Source[Any]:
    if isinstance(found, Source):
        return found
    raise LookupError(f"{name} is no source: decorate its function with @source")
