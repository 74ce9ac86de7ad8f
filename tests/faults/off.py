"""
``python -m faults.off SECONDS WORDS...``: runs `boutre WORDS` on a machine whose clock is so many seconds off.

Every clock that Python tells a program is shifted, and goes on; waiting, and Kafka's own client, go by clocks that only measure.
(libfaketime, which shifts everything, lets threads that wait for a time sleep until the hour has passed.)
"""

from __future__ import annotations

import sys
import time

import time_machine

from boutre.ops.command import main

if __name__ == "__main__":
    with time_machine.travel(time.time() + float(sys.argv[1]), tick=True):
        main(sys.argv[2:], prog_name="boutre")
