"""
What is to be looked at on the bus, from all that is known of it: facts go in, findings come out, ordered by what to look at first.
"""
