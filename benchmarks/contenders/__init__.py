"""
Those that do the same work: each is a program that is told, as JSON, what to read and write, and runs until it is stopped.
"""
