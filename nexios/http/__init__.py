"""The values of HTTP: header fields, query parameters, forms and media types, parsed and checked."""

from nexios.http.forms import FormData
from nexios.http.headers import Headers, MutableHeaders
from nexios.http.media_type import MediaType
from nexios.http.query import QueryParams
from nexios.http.redirects import is_safe_redirect

__all__ = ["FormData", "Headers", "MediaType", "MutableHeaders", "QueryParams", "is_safe_redirect"]
