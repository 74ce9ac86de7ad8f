"""
The virtual environment of Quix Streams, whose pins this project's own cannot meet.

Its packages go first, with their pins; then what the shared work imports, and this project without its requirements. Made once, and
again when what is asked for has changed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from benchmarks.work import ROOT

FOLDER: Final = ROOT / ".boutre" / "bench" / "peers"
PEERS: Final = ("quixstreams>=3.28,<3.29",)
WORK: Final = (
    "cryptography>=50,<52",
    "fastavro>=1.12,<2",
    "msgspec>=0.19,<1",
    "numpy>=2,<3",
    "prometheus-client>=0.22,<1",
    "shapely>=2.1,<3",
)
"""What the pure functions import, as in pyproject.toml; pydantic comes with Quix."""

SHOWN: Final = ("quixstreams", "confluent-kafka", "rocksdict", "fastavro", "msgspec", "cryptography")


def python() -> Path:
    """
    Give the Python of the peers' environment, which is made where it is missing.
    """
    found = FOLDER / "bin" / "python"
    ready = FOLDER / "ready"
    asked = hashlib.sha256(json.dumps([PEERS, WORK, str(ROOT), sys.version]).encode()).hexdigest()
    if ready.is_file() and ready.read_text(encoding="ascii") == asked:
        return found
    venv.create(FOLDER, clear=True, with_pip=True)
    for packages in (PEERS, WORK, ("--no-deps", "--editable", str(ROOT))):
        subprocess.run(  # noqa: S603 - pip of our own environment, with the names above
            [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True
        )
    ready.write_text(asked, encoding="ascii")
    return found


def versions(of: Path) -> dict[str, str]:
    """
    Give the versions of what the peers run on.
    """
    script = "import sys, json; from importlib.metadata import version; print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([str(of), "-c", script, *SHOWN], capture_output=True, text=True, check=True)  # noqa: S603 - the same
    told: dict[str, str] = json.loads(done.stdout)
    return told
