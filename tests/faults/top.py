"""
``python -m faults.top URL``: runs `boutre top` as its users do, but for the screen, and tells each second which findings it shows.
"""

from __future__ import annotations

import asyncio
import json
import sys

from textual.widgets import DataTable, Static

from boutre.ops.top.app import Top
from boutre.ops.top.source import remote

SIZE = (160, 48)


async def telling(url: str) -> None:
    """Say what its head and its table of findings show, as a line of JSON, until nobody listens."""
    app = Top(remote(url))
    async with app.run_test(size=SIZE):
        while True:
            table = app.query_one("#findings", DataTable)
            rows = [" ".join(str(cell) for cell in table.get_row(row.key)) for row in table.ordered_rows]
            print(json.dumps({"head": str(app.query_one("#head", Static).render()), "rows": rows}), flush=True)  # noqa: T201 - read by who started this
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(telling(sys.argv[1]))
