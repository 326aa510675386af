"""The header that an API key comes in has a name that a header can have."""

from typing import Any

import pytest

from nexios.auth import APIKeyAuth, APIKeys
from nexios.errors import ConfigurationError
from nexios.stores.memory import MemoryStore


@pytest.mark.parametrize("header", ["", "x key", "x:key", "x-key\r\n", "schlüssel", '"x"', "x\0", None, 5], ids=ascii)
def test_a_header_that_cannot_be_is_an_error_at_once(header: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no name of a header") as caught:
        APIKeyAuth(APIKeys(MemoryStore()), header=header)

    assert 'APIKeyAuth(keys, header="X-API-Key")' in str(caught.value)


@pytest.mark.parametrize("header", ["X-API-Key", "x_key", "Key!"])
def test_a_token_is_the_name_of_a_header(header: str) -> None:
    backend = APIKeyAuth(APIKeys(MemoryStore()), header=header)

    assert backend.openapi_scheme() == ("apiKey", {"type": "apiKey", "in": "header", "name": header})
