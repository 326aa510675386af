"""The style sheet and the icon. Their URL changes with their content, so browsers may keep them for ever."""

from hashlib import sha256
from pathlib import Path

from nexios import Response, Router
from nexios.errors import NotFound

__all__ = ["asset_url", "router"]

ASSETS = {path.name: path for path in Path(__file__).with_name("assets").iterdir()}
VERSIONS = {name: sha256(path.read_bytes()).hexdigest()[:12] for name, path in ASSETS.items()}

router = Router(prefix="/assets", auth_backend=None)


def asset_url(name: str) -> str:
    """Return where a browser finds an asset."""
    return f"/assets/{name}?v={VERSIONS[name]}"


@router.get("/{name}")
async def asset(response: Response, name: str, v: str = "") -> Response:
    if name not in ASSETS:
        raise NotFound
    for_ever = v == VERSIONS[name]
    response.set_header("cache-control", "public, max-age=31536000, immutable" if for_ever else "no-cache")
    return response.file(ASSETS[name])
