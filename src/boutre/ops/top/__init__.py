"""
``boutre top``: the findings and tables of operations in a terminal.
"""
