"""How much does nexios cost, next to a hand-written application and next to its peers?

Run `python -m benchmarks inprocess`, `servers`, `memory`, `realtime` or `all`. Absolute times
belong to one machine on one day: only the ratios mean anything.
"""
