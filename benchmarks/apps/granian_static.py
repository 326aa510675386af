"""Granian sends files by itself, and asks no application for them."""

from typing import Any, Final

from benchmarks.apps import raw_rsgi
from benchmarks.workloads import file_path

__all__ = ["GRANIAN_OPTIONS", "NAME", "PACKAGE", "build"]

NAME = "Granian itself"
PACKAGE = "granian"

GRANIAN_OPTIONS: Final[dict[str, Any]] = {
    "static_path_route": ["/static"],
    "static_path_mount": [file_path().parent],
}


def build(workload: str) -> Any:
    """Return an application that is not asked."""
    return raw_rsgi.build("plain") if workload == "static" else None
