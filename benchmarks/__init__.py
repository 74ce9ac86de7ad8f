"""
What the bus costs and how fast it is, beside its peers: ``make bench``, or ``python -m benchmarks --help``.
"""
