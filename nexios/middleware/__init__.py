"""Middleware: what happens around every request."""

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios._pipeline.websocket_chain import WebSocketMiddleware
from nexios.middleware.cors import CORSMiddleware
from nexios.middleware.csp import NONCE
from nexios.middleware.csrf import CSRFMiddleware, csrf_exempt
from nexios.middleware.csrf_page import csrf_input, csrf_token
from nexios.middleware.https_redirect import HTTPSRedirect
from nexios.middleware.proxy_headers import ProxyHeaders
from nexios.middleware.rate_limit import RateLimitMiddleware, by_address, by_user
from nexios.middleware.security_headers import SecurityHeaders, csp_nonce
from nexios.middleware.timeout import TimeoutMiddleware
from nexios.middleware.trusted_hosts import TrustedHosts

__all__ = [
    "NONCE",
    "BaseMiddleware",
    "CORSMiddleware",
    "CSRFMiddleware",
    "CallNext",
    "HTTPSRedirect",
    "ProxyHeaders",
    "RateLimitMiddleware",
    "SecurityHeaders",
    "TimeoutMiddleware",
    "TrustedHosts",
    "WebSocketMiddleware",
    "by_address",
    "by_user",
    "csp_nonce",
    "csrf_exempt",
    "csrf_input",
    "csrf_token",
]
