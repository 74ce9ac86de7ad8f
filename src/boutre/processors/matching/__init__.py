"""
Whether two reports speak of one craft or one event: comparisons, weights that are data, and what rivals say about it.

Pure: a function of what two reports say. A match is never a merge; it is a statement with a probability and its evidence.
"""
