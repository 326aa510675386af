"""Which names of httpx2 do the tools use? This is the one file that imports it."""

from nexios.errors import ConfigurationError

try:
    from httpx2 import (
        URL,
        USE_CLIENT_DEFAULT,
        AsyncBaseTransport,
        AsyncByteStream,
        AsyncClient,
        Auth,
        ConnectError,
        Cookies,
        Headers,
        InvalidURL,
        ReadTimeout,
        RemoteProtocolError,
        Request,
        Response,
        SyncByteStream,
    )
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f'nexios.testing needs the package {_missing.name}:\n\n    pip install "nexios[testing]"\n'
    ) from _missing

__all__ = [
    "URL",
    "USE_CLIENT_DEFAULT",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "Auth",
    "ConnectError",
    "Cookies",
    "Headers",
    "InvalidURL",
    "ReadTimeout",
    "RemoteProtocolError",
    "Request",
    "Response",
    "SyncByteStream",
]
