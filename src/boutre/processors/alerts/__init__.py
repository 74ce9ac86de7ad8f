"""
Alerts: what is worth waking somebody for, decided by rules that are data, and told as one thread for each event.

    rules = load(root, known, faults)
    changed, messages = take(rules, threads, Seen(at, situation))

Pure: functions of what one recipient has and of what its people said, and time comes in with each input. So nobody learns by an
alert of what it was not given, and the same inputs give the same messages with the same ids.
"""
