"""Whole applications that are built with nexios, each a package of its own."""
