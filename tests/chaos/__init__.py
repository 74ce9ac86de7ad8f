"""
Chaos on a real Kafka: everything that can die is killed while records are in flight, and every record is accounted for afterwards.

    python -m chaos --records 5000 --kills 10           # what `make chaos` does

`feeds` writes a bus folder with feeds whose records are known beforehand, `ground` runs its processes, `scenarios` ends them,
`storm` does all of it at once, `reading` and `expectation` give what stands on Kafka and what should, `verdict` compares the two.
"""

from __future__ import annotations
