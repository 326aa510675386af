"""Which paths may name a file: the lexical rule, before any disk."""

import ntpath
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.http.paths import file_parts, is_device_name


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a.txt", ("a.txt",)),
        ("/css/site.css", ("css", "site.css")),
        ("/guide/", ("guide", "")),
        ("/", ("",)),
        ("/a b/c%20d", ("a b", "c%20d")),
        ("/caf\u00e9/\U0001f600.png", ("caf\u00e9", "\U0001f600.png")),
        ("/file~1.txt", ("file~1.txt",)),
        ("/a..b/c.d.e", ("a..b", "c.d.e")),
        ("/console.log", ("console.log",)),
        ("/com10.txt", ("com10.txt",)),
        ("/" + "x" * 255, ("x" * 255,)),
        ("/a" * 64, ("a",) * 64),
    ],
)
def test_a_plain_path_gives_its_names(path: str, parts: tuple[str, ...]) -> None:
    assert file_parts(path) == parts


@pytest.mark.parametrize(
    "path",
    [
        "", "a", "//", "//a", "/a//b", "/a//", "/.", "/..", "/../a", "/a/..", "/a/./b", "/.git/config", "/a/.env",
        "/.../a", "/a.", "/a./b", "/a ", "/a /b", "/ /a", "/\\a", "/a\\..\\b", "/C:/x", "/C:x", "/a:s", "/a::$DATA",
        "/a\0.png", "/a\nb", "/a\x1bb", "/a\x7f", "/a\x85b", "/a\ud800", "/con", "/a/NUL.txt", "/aux .x/b",
        "/COM\u00b9", "/" + "x" * 256, "/" + "\u00e9" * 128, "/a" * 65,
    ],
)  # fmt: skip
def test_what_is_not_canonical_names_no_file(path: str) -> None:
    assert file_parts(path) is None


@given(st.text(alphabet="/\\.:ab ~%\0\n\u00e9\ud800", max_size=40).map(lambda text: f"/{text}"))
def test_the_names_put_together_are_the_path_and_stay_below_any_folder(path: str) -> None:
    parts = file_parts(path)

    if parts is not None:
        assert "/" + "/".join(parts) == path
        for system, root in ((posixpath, "/srv/static"), (ntpath, "C:\\srv\\static")):
            joined = system.normpath(system.join(root, *parts))
            assert joined == root or joined.startswith(root + system.sep)
            assert joined.count(system.sep) == root.count(system.sep) + len([part for part in parts if part])


@pytest.mark.parametrize(
    "name", ["con", "PRN.txt", "Aux.tar.gz", "nul ", "COM1", "lpt9.x", "conin$", "CONOUT$", "clock$"]
)
def test_a_device_is_one_in_any_case_and_with_any_extension(name: str) -> None:
    assert is_device_name(name)
