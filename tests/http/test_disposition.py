"""File names: nothing a name holds can break the header or leave the directory."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, InvalidHeader
from nexios.http.disposition import format_content_disposition, parse_content_disposition, safe_filename
from nexios.http.headers import check_value


def test_a_plain_name_is_a_quoted_download() -> None:
    assert format_content_disposition("report 2026.pdf") == 'attachment; filename="report 2026.pdf"'


def test_a_file_can_be_shown_inline() -> None:
    assert format_content_disposition("a.png", inline=True) == 'inline; filename="a.png"'


@pytest.mark.parametrize(
    ("filename", "written"),
    [
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ("€ rates.csv", "attachment; filename=\"_ rates.csv\"; filename*=UTF-8''%E2%82%AC%20rates.csv"),
        ('x".bat;a=', "attachment; filename=\"x_.bat;a=\"; filename*=UTF-8''x%22.bat%3Ba%3D"),
        ("%22", "attachment; filename=\"_22\"; filename*=UTF-8''%2522"),
        ("what?.txt", "attachment; filename=\"what_.txt\"; filename*=UTF-8''what%3F.txt"),
        ("it's.txt", 'attachment; filename="it\'s.txt"'),
        (";", 'attachment; filename=";"'),
        (".gitignore", 'attachment; filename=".gitignore"'),
        ("../../a", 'attachment; filename="a"'),
        ("..\\..\\a", 'attachment; filename="a"'),
        ("C:\\dir\\a.txt", 'attachment; filename="a.txt"'),
        ("..", "attachment"),
        ("dir/", "attachment"),
        ("", "attachment"),
    ],
)
def test_the_real_name_stands_beside_one_that_old_clients_read(filename: str, written: str) -> None:
    assert format_content_disposition(filename) == written


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f", "\x85"], ids=repr)
def test_a_name_with_a_control_character_is_refused(character: str) -> None:
    with pytest.raises(InvalidHeader, match="control characters"):
        format_content_disposition(f"a{character}b")


def test_a_name_is_text() -> None:
    with pytest.raises(InvalidHeader):
        format_content_disposition(b"a.txt")  # type: ignore[arg-type]


@given(st.text())
def test_whatever_is_written_can_be_sent_and_read(filename: str) -> None:
    try:
        written = format_content_disposition(filename)
    except InvalidHeader:
        return

    assert written.isascii()
    assert check_value(written) == written
    word, parameters = parse_content_disposition(written)
    assert word == "attachment"
    assert set(parameters) <= {"filename"}
    assert not set(parameters.get("filename", "")) & set('"\\/%')


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"], blacklist_characters="/\\"), min_size=3, max_size=60))
def test_the_real_name_survives_the_round_trip(filename: str) -> None:
    written = format_content_disposition(filename)

    if "filename*=" in written:
        assert unquote(written.rpartition("''")[2]) == filename
    else:
        assert written == f'attachment; filename="{filename}"'


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("my report (1).pdf", "my report (1).pdf"),
        ("naïve.txt", "naïve.txt"),
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x", "x"),
        ("C:\\x", "x"),
        ("C:x", "C_x"),
        ("a.txt:stream", "a.txt_stream"),
        ("a/../../b", "b"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("...", "file"),
        (" . ", "file"),
        ("x\x00.png", "x.png"),
        ("a\r\nb", "ab"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        (".htaccess", "htaccess"),
        ("name. . ", "name"),
        ("CON.txt", "_CON.txt"),
        ("con", "_con"),
        ("aux .txt", "_aux .txt"),
        ("LPT1", "_LPT1"),
        ("COM¹.log", "_COM¹.log"),
        ("console.txt", "console.txt"),
        ('a<b>c"d|e?f*g', "a_b_c_d_e_f_g"),
        ("\ud800.txt", "_.txt"),
    ],
)
def test_a_strangers_name_becomes_a_plain_one(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_filename("x" * 300 + ".png") == "x" * 251 + ".png"
    assert len(safe_filename("é" * 300 + ".png").encode()) <= 255
    assert safe_filename("a." + "x" * 300) == "a." + "x" * 253
    assert safe_filename("." * 5 + "x" * 300) == "x" * 255


@given(st.text() | st.text("./\\: CONconaux\0\u202e"))
def test_a_safe_name_is_one_file_in_one_directory(name: str) -> None:
    safe = safe_filename(name)

    assert safe
    assert len(safe.encode()) <= 255
    assert safe.isprintable()
    assert not set(safe) & set('/\\<>:"|?*')
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert safe_filename(safe) == safe


def test_extended_parameters_are_ignored() -> None:
    """RFC 7578, 4.2: two readers must not see two names."""
    value = (
        "form-data; name=\"a\"; name*=utf-8''role; filename=\"x.txt\"; filename*=utf-8''..%2f..%2fp.py; filename*0=y"
    )

    assert parse_content_disposition(value) == ("form-data", {"name": "a", "filename": "x.txt"})


def test_the_word_is_in_lower_case_and_may_stand_alone() -> None:
    assert parse_content_disposition(" Form-Data ") == ("form-data", {})


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "form data",
        'form-data; name="a"; name="b"',
        'form-data; name="a\r\nX: y"',
        'form-data;\r\n name="a"',
        'form-data; name="a\rb"',
        'form-data; name="a\x00b"',
        'form-data; name="a',
        "form-data; name",
        'form-data; name="' + '\\"' * 4000,
    ],
)
def test_a_malformed_disposition_is_an_error(value: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_content_disposition(value)

    assert caught.value.code == "malformed_disposition"


@given(st.text() | st.text('abform-data;="\\* '))
def test_reading_a_disposition_raises_nothing_but_a_bad_request(value: str) -> None:
    try:
        word, parameters = parse_content_disposition(value)
    except BadRequest:
        return

    assert word == word.lower() != ""
    assert not any("*" in name for name in parameters)
