"""
Who is late, silent or about to end: pure rooms, from what one look at a bus saw to what is said of it.

Kafka and the processes are asked in ``boutre.ops.clocks_bus`` and ``boutre.ops.clocks_processes``; nothing here knows them.
"""
