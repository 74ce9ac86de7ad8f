"""
What ``boutre doctor`` finds: facts that somebody gathered go in, findings come out, and nothing here asks anybody anything.
"""
