"""
The alarms: what wakes those who keep the bus going, declared once in ``processors/alarms.toml``.

``declared`` reads the file, ``rules`` makes of it what Prometheus reads. Pure; nothing is asked here.
"""
