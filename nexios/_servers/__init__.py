"""Adapters: each turns one server interface into the transports that the core reads and writes."""
