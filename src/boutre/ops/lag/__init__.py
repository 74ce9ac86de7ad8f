"""
How far behind whoever reads the bus is: pure rooms, from what one look at a cluster saw to what is said of it.

Kafka is asked in ``boutre.ops.lag_bus``; nothing here knows it.
"""
