"""
Pages of which parts are written by code: each part stands between two comments, and a test holds it to what the code gives.

    <!-- NAME: written by tests/domain/test_some_page.py -->
    ...
    <!-- end of NAME -->

Where a part must change, write it anew: PYTHONPATH=tests python tests/domain/test_some_page.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page of this repository: where it is, the file that writes its parts, and what makes each part, by its name.
    """

    path: str
    writer: str
    parts: Mapping[str, Callable[[], str]]

    @property
    def text(self) -> str:
        """The whole page as it stands."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    def between(self, name: str) -> tuple[str, str, str]:
        """The page before, in and behind one of its written parts."""
        before, begin, rest = self.text.partition(f"<!-- {name}: written by {self.writer} -->")
        inside, end, behind = rest.partition(f"<!-- end of {name} -->")
        assert begin, f"{self.path} has no part {name}"
        assert end, f"{self.path} does not say where its part {name} ends"
        return before + begin, inside.strip("\n"), end + behind

    def shown(self, name: str) -> str:
        """One written part as it stands."""
        return self.between(name)[1]

    def write(self) -> None:
        """Write every part anew."""
        for name, made in self.parts.items():
            self.put(name, made())

    def put(self, name: str, content: str) -> None:
        """Write one part."""
        before, _, behind = self.between(name)
        (ROOT / self.path).write_text(f"{before}\n\n{content}\n\n{behind}", encoding="utf-8")
