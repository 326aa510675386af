"""What does real time cost: one message to many members, sockets that stand still, sockets that say nothing?

`python -m benchmarks realtime`. Servers on one processor, their clients on another; what is compared takes
turns of about a second, so that a machine that slows down hits all of them.
"""
