"""Dependency injection: markers, signatures, the graph of providers, and the values they make."""
