"""
Sealing of views: what one recipient alone can open. Suites and keys, the wrapping of data keys, the frame of a sealed view.
"""
