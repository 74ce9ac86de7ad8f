"""
Reads frames, one a line in hexadecimal, and says of each what the codec answers and how much memory it took.

Run by the tests in a process of its own with a limit on its memory, since what it reads was made to kill whoever reads it.
"""

from __future__ import annotations

import resource
import sys

from boutre.errors import Refuse
from boutre.schemas.codec import Codec
from boutre.schemas.lock import core, load

LIMIT = 1_500_000_000
"""Bytes of address space; Python, fastavro and their libraries take a part of it before the first frame."""


def main() -> None:
    """Answer each line before the next is read, so that whoever waits knows which frame was the last."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    codec = Codec(load(core()))
    codec.decode(codec.encode("sighting", {"id": "warm"}))
    for line in sys.stdin:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            answer = codec.decode(bytes.fromhex(line)).kind
        except Refuse as refused:
            answer = refused.code
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        sys.stdout.write(f"{answer} {taken * 1024}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
