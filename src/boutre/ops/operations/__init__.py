"""
The page of operations: all that is known of the bus as one document, as HTML in either language, and the server that gives both.
"""
