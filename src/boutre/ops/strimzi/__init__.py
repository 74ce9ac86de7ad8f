"""
The bus on a cluster that Strimzi runs: resources for Kafka itself, its topics, its users, and the bus's own processes.
"""
