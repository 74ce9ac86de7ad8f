"""
A bus put together from its five folders and its keys, as the commands need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boutre.ops.settings import Settings
from boutre.processors import pipeline
from boutre.processors.finish import Finish
from boutre.processors.handle import Handler
from boutre.processors.pipeline import Pipeline
from boutre.schemas import lock, vocabulary
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import Codec
from boutre.schemas.keys import KeyFolder
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics import bus
from boutre.topics.bus import Declarations


@dataclass(frozen=True, slots=True)
class Assembly:
    """
    All that is declared, read and checked, and the codec made of it.
    """

    root: Path
    declarations: Declarations
    vocabularies: Vocabularies
    pipeline: Pipeline
    codec: Codec

    def handlers(self, keys: KeyFolder, only: str | None = None) -> tuple[Handler, ...]:
        """
        Make the processors ready to handle records; *only* makes just the one of that name.

        Raises DeclarationError where a key or the vault of case keys is missing.
        """
        correlate = self.pipeline.file.correlate
        releases = only in (None, self.pipeline.file.release.name, None if correlate is None else correlate.name)
        opener = Opener(self.codec, keys.cases.open().opening)
        finish = Finish.of(keys, self.declarations) if releases else None
        made = self.pipeline.processors(
            self.codec, keys.keyring(), keys.recipient, keys.state(), only, finish=finish, opener=opener
        )
        return tuple(Handler(processor, self.codec, self.pipeline.owner) for processor in made)


def assemble(root: Path) -> Assembly:
    """
    Read and check the bus at *root*; ``DeclarationError`` tells all that is wrong in a room at once.
    """
    locked = lock.load(lock.folder_of(root))
    words = vocabulary.load(lock.folder_of(root) / "vocabularies")
    declarations = bus.load(root)
    return Assembly(root, declarations, words, pipeline.load(root, declarations, locked, words), Codec(locked))


def keys_of(settings: Settings) -> KeyFolder:
    """
    Give the folder of keys.
    """
    return KeyFolder(settings.keys, settings.vault)
