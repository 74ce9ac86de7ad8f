"""
What is drawn of the bus: declared once in ``processors/dashboards.toml``, for Grafana and for the page of operations.

``declared`` reads the file, ``grafana`` makes dashboards that can be imported; ``asking``, ``drawing`` and ``page`` draw the same
panels from what a Prometheus answers. Pure: who calls brings the answers.
"""
