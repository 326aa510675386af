"""The window of authentication."""

from nexios._pipeline.authentication import AuthenticationMiddleware, InvalidCredentials
from nexios.auth.api_keys import APIKey, APIKeyAuth, APIKeys, NewAPIKey
from nexios.auth.backend import AuthBackend
from nexios.auth.basic import BasicAuth
from nexios.auth.bearer import BearerAuth
from nexios.auth.passwords import PasswordRefused, Passwords
from nexios.auth.refresh_tokens import InvalidRefreshToken, RefreshedToken, RefreshTokenReused, RefreshTokens
from nexios.auth.requires import Policy, auth, requires
from nexios.auth.session_login import SessionAuth, login, logout
from nexios.auth.throttle import LoginAttempt, LoginThrottle

__all__ = [
    "APIKey",
    "APIKeyAuth",
    "APIKeys",
    "AuthBackend",
    "AuthenticationMiddleware",
    "BasicAuth",
    "BearerAuth",
    "InvalidCredentials",
    "InvalidRefreshToken",
    "LoginAttempt",
    "LoginThrottle",
    "NewAPIKey",
    "PasswordRefused",
    "Passwords",
    "Policy",
    "RefreshTokenReused",
    "RefreshTokens",
    "RefreshedToken",
    "SessionAuth",
    "auth",
    "login",
    "logout",
    "requires",
]
