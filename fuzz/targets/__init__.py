"""Which targets are there? All of them, by name."""

from collections.abc import Mapping
from typing import Final

from fuzz.target import Target
from fuzz.targets import addresses, bodies, credentials, fields, live, requests, routes, signed

__all__ = ["TARGETS"]

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for module in (fields, addresses, bodies, signed, credentials, routes, requests, live)
    for target in module.TARGETS
}
