"""
Controlled vocabularies: closed lists of codes, each with its scheme, its version and its labels in English and French.

They are data in ``schemas/vocabularies/<scheme>.toml``, never Avro enums, since an enum can't grow without breaking readers.
A vocabulary is named ``scheme@version`` everywhere: ``tlp@2``. Another bus adds a folder of its own beside the core one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from boutre.errors import Fault
from boutre.language import french
from boutre.topics.strict import Declared, raise_all, read

Words = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Scheme = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Labels(Declared):
    """
    One meaning in both languages.
    """

    en: Words
    fr: Words


class Term(Labels):
    """
    One code of a vocabulary; *value* is its number, where the standard gives it one (100 for Admiralty A).
    """

    code: Annotated[str, Field(min_length=1, pattern=r"^[!-~]([ -~]*[!-~])?$")]
    value: int | None = None


class Vocabulary(Declared):
    """
    A whole vocabulary, as its file declares it.
    """

    scheme: Scheme
    version: Annotated[str, Field(min_length=1, pattern=r"^[0-9A-Za-z.]+$")] | int
    source: Words
    note: Words | None = None
    title: Labels
    code: Annotated[tuple[Term, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """
        How fields name it: ``scheme@version``.
        """
        return f"{self.scheme}@{self.version}"


@dataclass(frozen=True, slots=True)
class Vocabularies:
    """
    All vocabularies of a bus, by ``scheme@version``.

    What is asked of a vocabulary that does not exist has the answer that lets nothing through: no code, no value.
    """

    every: Mapping[str, Vocabulary]
    _terms: Mapping[str, Mapping[str, Term]]

    def __contains__(self, scheme: str) -> bool:
        return scheme in self.every

    def codes(self, scheme: str) -> frozenset[str]:
        """
        All codes of the vocabulary; none where it does not exist.
        """
        return frozenset(self._terms.get(scheme, ()))

    def has(self, scheme: str, code: str) -> bool:
        """
        Whether *code* is one of the vocabulary, in exactly this spelling.
        """
        return code in self._terms.get(scheme, ())

    def label(self, scheme: str, code: str, language: str) -> str:
        """
        The words for *code* in ``en`` or ``fr`` (English for any other language); the code itself where it is not known.
        """
        term = self._terms.get(scheme, {}).get(code)
        if term is None:
            return code
        return french(term.fr) if language == "fr" else term.en

    def value(self, scheme: str, code: str) -> int | None:
        """
        The number that the standard gives to *code*; None where it gives none, as for "cannot be judged".
        """
        term = self._terms.get(scheme, {}).get(code)
        return None if term is None else term.value


def load(core: Path, *extra: Path) -> Vocabularies:
    """
    Read every vocabulary of the folder *core*, then of each folder of *extra*.

    A file is named for its scheme; another version of it stands in ``<scheme>@<version>.toml``. What is core can't be declared
    again: another bus adds vocabularies, it does not change those that others rely on.

    Raises DeclarationError with everything that is wrong in all files.
    """
    faults: list[Fault] = []
    every: dict[str, Vocabulary] = {}
    for folder in (core, *extra):
        paths = sorted(folder.glob("*.toml"))
        if not paths:
            faults.append(Fault(str(folder), "", "no vocabulary stands here; name a folder that holds <scheme>.toml files"))
        for path in paths:
            vocabulary = read(path, Vocabulary, faults)
            if vocabulary is not None:
                faults.extend(_wrong(path, vocabulary, every))
                every.setdefault(vocabulary.name, vocabulary)
    raise_all(faults)
    terms = {name: MappingProxyType({term.code: term for term in v.code}) for name, v in every.items()}
    return Vocabularies(MappingProxyType(every), MappingProxyType(terms))


def _wrong(path: Path, vocabulary: Vocabulary, known: Mapping[str, Vocabulary]) -> list[Fault]:
    file = f"{path.parent.name}/{path.name}"
    found = []
    if path.stem not in {vocabulary.scheme, vocabulary.name}:
        found.append(Fault(file, "scheme", f"the file is named {path.stem}; name the two alike"))
    if vocabulary.name in known:
        found.append(Fault(file, "scheme", f"{vocabulary.name} is declared twice; give yours another name or version"))
    seen: set[str] = set()
    for term in vocabulary.code:
        if term.code in seen:
            found.append(Fault(file, f"code[{term.code}]", "stands twice; remove one"))
        seen.add(term.code)
    return found
