"""Typed inputs: what a handler asks of a request, read and validated before it runs."""
