"""
Where case keys stand on one machine: the vault of whoever runs the bus, the pools of those who run connectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boutre.schemas.cases.pool import CaseKeys, FilePool, NoPool, VaultPool
from boutre.schemas.cases.vault import Vault
from boutre.schemas.cases.vault_file import FILE


@dataclass(frozen=True, slots=True)
class CaseFolders:
    """
    The folder of the *vault*, and that of the *pools*; either may not be there.
    """

    vault: Path
    pools: Path

    @property
    def file(self) -> Path:
        """The file of the vault."""
        return self.vault / FILE

    @property
    def there(self) -> bool:
        """Whether the vault is here."""
        return self.file.is_file()

    def begin(self) -> Vault:
        """Make the vault where there is none, and open it."""
        return Vault.of(self.vault, begin=True)

    def open(self) -> Vault:
        """Open the vault; ``DeclarationError`` where there is none."""
        return Vault.of(self.vault)

    def pool(self, member: str) -> Path:
        """Say where the pool of a member's connectors stands, or should."""
        return self.pools / f"{member}.txt"

    def keys(self, member: str) -> CaseKeys:
        """
        Give where a member's connectors have case keys from: the pool that was handed over, or the vault where it is here.
        """
        path = self.pool(member)
        if path.is_file():
            return FilePool(path, member)
        if self.there:
            return VaultPool(self.open(), member)
        return NoPool(
            f"what names people is sealed, and there are no case keys here: put the pool that whoever runs the bus hands over "
            f"(boutre cases issue {member}) at {path}; for development, boutre keys dev"
        )
