"""One room, in each framework: whoever sends JSON to `/ws` has it sent to all who are connected there.

Each module has NAME, PACKAGE and `build(engine)`; `engine` is what is between several processes, "" for nothing.
"""
