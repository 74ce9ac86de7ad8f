"""
Nights between Anjouan and Mayotte that never were: boats, what each observer would tell of them, and the truth beside it.

Pure: a world is a function of a seed and of its parameters. Every report is a record as a connector makes it, and an exercise.
"""
