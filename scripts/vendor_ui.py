"""Are the bundles that the documentation pages load those that their makers published?

    .venv/bin/python scripts/vendor_ui.py             # compare nexios/openapi/assets with what npm has
    .venv/bin/python scripts/vendor_ui.py --record    # write the files and manifest.json; after changing a version

Packages come by `npm pack` from the registry that npm is set up with; npm compares each
with the checksum it was published under, and so does this with the one in the manifest.
Checksums of files are of the content that browsers get, as two builds of zlib do not
compress alike.
"""

import base64
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "nexios" / "openapi" / "assets"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file of a package: what it is called there and here, and texts that are replaced in it."""

    source: str
    file: str
    replaced: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A package, what is taken from it, and which of its files say under which terms."""

    name: str
    version: str
    license: str
    bundles: tuple[Bundle, ...]
    terms: tuple[str, ...]
    terms_file: str


_NO_LOGO = (  # every reader's browser would ask for it; the name stands in its place
    ("https://cdn.redoc.ly/redoc/logo-mini-full.svg", "data:,"),
    ("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"),
    ("`API docs by`", "`API docs by Redocly`"),
)

PACKAGES = (
    Package(
        name="@scalar/api-reference",
        version="1.72.1",
        license="MIT",
        bundles=(Bundle("dist/browser/standalone.js", "scalar.js"),),
        terms=(),  # the package has no licence file; scalar.txt is that of its repository
        terms_file="scalar.txt",
    ),
    Package(
        name="swagger-ui-dist",
        version="5.35.0",
        license="Apache-2.0",
        bundles=(Bundle("swagger-ui-bundle.js", "swagger-ui.js"), Bundle("swagger-ui.css", "swagger-ui.css")),
        terms=("NOTICE", "LICENSE", "swagger-ui-bundle.js.LICENSE.txt"),
        terms_file="swagger-ui.txt",
    ),
    Package(
        name="redoc",
        version="3.0.1",
        license="MIT",
        bundles=(Bundle("bundles/redoc.standalone.js", "redoc.js", _NO_LOGO),),
        terms=("LICENSE",),
        terms_file="redoc.txt",
    ),
)


class Mismatch(Exception):
    """A file is not what the manifest or this script says."""


def main(arguments: list[str]) -> int:
    """Compare, or with --record write; return 1 when something differs."""
    recording = arguments == ["--record"]
    if arguments and not recording:
        print(__doc__)
        return 2
    try:
        entries = [take(package, write=recording) for package in PACKAGES]
        text = json.dumps({"packages": entries}, indent=2) + "\n"
        manifest = ASSETS / "manifest.json"
        if recording:
            manifest.write_text(text, "utf-8")
        elif manifest.read_text("utf-8") != text:
            raise Mismatch("manifest.json is not what the packages are; look at the difference before --record")
    except Mismatch as exc:
        print(exc)
        return 1
    print(f"{sum(len(package.bundles) for package in PACKAGES)} bundles {'written' if recording else 'are the same'}")
    return 0


def take(package: Package, *, write: bool) -> dict[str, object]:
    """Fetch a package, write its files or compare them with those here, and return its manifest entry."""
    archive = fetch(package)
    members = {name: member(archive, name) for name in (*(b.source for b in package.bundles), *package.terms)}
    if package.terms:
        terms = "\n\n".join(members[name].decode().strip() for name in package.terms) + "\n"
        keep(ASSETS / "licenses" / package.terms_file, terms.encode(), write=write)
    return {
        "name": package.name,
        "version": package.version,
        "license": package.license,
        "integrity": f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}",
        "files": [take_bundle(bundle, members[bundle.source], write=write) for bundle in package.bundles],
    }


def take_bundle(bundle: Bundle, source: bytes, *, write: bool) -> dict[str, object]:
    """Write or compare one file, and return its manifest entry."""
    content = source
    for old, new in bundle.replaced:
        if content.count(old.encode()) != 1:
            raise Mismatch(f"{bundle.source} has {old!r} {content.count(old.encode())} times; expected once")
        content = content.replace(old.encode(), new.encode())
    keep(ASSETS / f"{bundle.file}.gz", content, write=write)
    return {
        "file": bundle.file,
        "source": bundle.source,
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "replaced": bundle.replaced,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }


def fetch(package: Package) -> bytes:
    """Return the published archive."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        [archive] = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def member(archive: bytes, name: str) -> bytes:
    """Return one file of an archive; nothing is unpacked to disk."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        found = files.extractfile(f"package/{name}")
        if found is None:
            raise Mismatch(f"{name} is not a file")
        return found.read()


def keep(path: Path, content: bytes, *, write: bool) -> None:
    """Write the content, compressed when the name says so, or compare it with what is there."""
    compressed = path.suffix == ".gz"
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 9, mtime=0) if compressed else content)
    elif (gzip.decompress(path.read_bytes()) if compressed else path.read_bytes()) != content:
        raise Mismatch(f"{path.name} is not what the package has")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
