"""Channel backends: the ways between the hubs of several processes.

Those that need an extra are imported from their own module, as `nexios.websockets.backends.redis`.
"""

from nexios.websockets.backends.base import BackendUnavailable, ChannelBackend, Receiver
from nexios.websockets.backends.memory import MemoryBackend, MemoryEngine

__all__ = ["BackendUnavailable", "ChannelBackend", "MemoryBackend", "MemoryEngine", "Receiver"]
