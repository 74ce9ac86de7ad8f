"""
What one recipient knows of coarse cells of sea and time, and how its links follow from it, in whatever order reports come.

Pure: a function of what is remembered and of what is told. It never asks who else knows more.
"""
