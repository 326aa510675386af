"""The window of the stores: bytes under a name, for a while.

Those that need an extra are imported from their own module, as `nexios.stores.redis`.
"""

from nexios.stores.base import Store, StoreUnavailable
from nexios.stores.memory import MemoryStore
from nexios.stores.sqlite import SQLiteStore

__all__ = ["MemoryStore", "SQLiteStore", "Store", "StoreUnavailable"]
