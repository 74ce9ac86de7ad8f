"""
Faults injected into a whole bus on a real Kafka, and what operations were told of each: see docs/operations.md.
"""
