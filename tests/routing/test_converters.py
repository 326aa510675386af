"""Path converters: what they accept, what they refuse, and that format is the inverse of convert."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.routing import Converter, ConverterRegistry, FunctionConverter, Matcher, compile_template
from nexios.routing.converters import BUILT_IN_CONVERTERS, bounded_convert
from nexios.routing.registry import DEFAULT_CONVERTERS

AN_ID = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("str", "café au lait", "café au lait"),
        ("str", "a\u3000b", "a\u3000b"),
        ("int", "0", 0),
        ("int", "007", 7),
        ("int", "-12", -12),
        ("int", "99999999999999999999", 99999999999999999999),
        ("float", "1", 1.0),
        ("float", "-0.5", -0.5),
        ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", AN_ID),
        ("uuid", "6BA7B8109DAD11D180B400C04FD430C8", AN_ID),
        ("path", "", ""),
        ("path", "a/b//c/", "a/b//c/"),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("datetime", "2024-01-31T10:00:00", datetime(2024, 1, 31, 10)),
        ("datetime", "2024-01-31T10:00:00.5", datetime(2024, 1, 31, 10, microsecond=500000)),
        ("datetime", "2024-01-31T10:00:00Z", datetime(2024, 1, 31, 10, tzinfo=UTC)),
        (
            "datetime",
            "2024-01-31T10:00:00.123456-05:30",
            datetime(2024, 1, 31, 10, 0, 0, 123456, timezone(-timedelta(hours=5, minutes=30))),
        ),
        ("slug", "my-1st-post", "my-1st-post"),
    ],
)
def test_a_text_becomes_a_value(name: str, text: str, value: object) -> None:
    assert BUILT_IN_CONVERTERS[name].convert(text) == value


REFUSED = {
    "str": ["", "a/b", "a\n", "a\x00", "\x7f", "\x85", "\ud800"],
    "int": [
        "",
        "-",
        "-0",
        "+1",
        " 1",
        "1 ",
        "1_0",
        "0x10",
        "１２",
        "٣",
        "²",
        "1.0",
        "1\n",
        "9" * 21,
        "-" + "9" * 21,
        "9" * 5000,
    ],
    "float": [
        "",
        "-",
        ".5",
        "5.",
        "1e5",
        "1e999999",
        "nan",
        "inf",
        "-0",
        "-0.0",
        "1_0.0",
        "１.5",
        "+1.0",
        " 1.0",
        "1.0\n",
        "9" * 330,
        "9" * 5000,
    ],
    "uuid": [
        "",
        "g" * 32,
        "6ba7b8109dad-11d1-80b4-00c04fd430c8",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
        "_" * 32,
        "１" * 32,
        "a" * 31,
        "a" * 32 + "\n",
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ],
    "path": ["a\n", "\x00", "a/\r/b"],
    "date": [
        "",
        "2024-13-45",
        "2023-02-29",
        "0000-01-01",
        "20240131",
        "2024-W05-3",
        "2024-1-31",
        "２024-01-31",
        "2024-01-31\n",
        "2024/01/31",
        "2024-01-1 ",
    ],
    "datetime": [
        "",
        "2024-01-31",
        "2024-01-31 10:00:00",
        "2024-01-31t10:00:00",
        "2024-01-31T24:00:00",
        "2024-01-31T10:00",
        "2024-01-31T10:00:60",
        "2024-01-31T10:00:00z",
        "2024-01-31T10:00:00.",
        "2024-01-31T10:00:00.1234567",
        "2024-01-31T10:00:00+0530",
        "2024-01-31T10:00:00+24:00",
        "2024-01-31T10:00:00+01:60",
        "2024-01-31T10:00:00ZZ",
        "2024-01-31T10:00:00.5ZZ",
        "2024-13-45T10:00:00",
        "2024-01-31T10-00:00",
        "2024-01-31T10:00:00Z\n",
    ],
    "slug": ["", "-", "a-", "-a", "a--b", "A", "a_b", "é", "a\n"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_a_text_of_another_form_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        BUILT_IN_CONVERTERS[name].convert(text)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN_CONVERTERS) - {"str", "path", "slug"}))
def test_a_megabyte_is_refused_by_its_length(name: str) -> None:
    with pytest.raises(ValueError):
        BUILT_IN_CONVERTERS[name].convert("1" * 2**20)


@pytest.mark.parametrize("ending", ["\n", "\r", "\x00", "\t", "\x0b"])
@pytest.mark.parametrize("name", sorted(BUILT_IN_CONVERTERS))
def test_a_control_character_at_the_end_never_matches(name: str, ending: str) -> None:
    texts = {"uuid": str(AN_ID), "date": "2024-01-31", "datetime": "2024-01-31T10:00:00", "slug": "a"}
    matcher = Matcher[None]()
    matcher.add(compile_template(f"/x/{{value:{name}}}"), ["GET"], None)
    text = texts.get(name, "1")

    assert matcher.find("GET", f"/x/{text}") is not None
    assert matcher.find("GET", f"/x/{text}{ending}") is None


def plain_text(**options: Any) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cc", "Cs"], **options))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": plain_text(exclude_characters="/").filter(bool),
    "path": plain_text(),
    "int": st.integers(-(10**20) + 1, 10**20 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "uuid": st.uuids(),
    "date": st.dates(),
    "datetime": st.datetimes(
        timezones=st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    ),
    "slug": st.from_regex("[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
}


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])))
def test_a_value_survives_format_and_convert(case: tuple[str, Any]) -> None:
    name, value = case
    converter = BUILT_IN_CONVERTERS[name]

    assert converter.convert(converter.format(value)) == value


@given(st.sampled_from(sorted(BUILT_IN_CONVERTERS)), st.text() | st.text("0123456789-+.:TZe_aF "))
def test_no_text_raises_anything_but_value_error(name: str, text: str) -> None:
    converter = BUILT_IN_CONVERTERS[name]
    try:
        value = converter.convert(text)
    except ValueError:
        return
    assert converter.convert(converter.format(value)) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("int", 10**20),
        ("int", True),
        ("int", "7"),
        ("float", float("nan")),
        ("float", float("-inf")),
        ("float", 10**400),
        ("float", False),
        ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("date", datetime(2024, 1, 31, tzinfo=UTC)),
        ("datetime", date(2024, 1, 31)),
        ("datetime", datetime(2024, 1, 31, tzinfo=timezone(timedelta(seconds=1)))),
        ("str", "a/b"),
        ("str", True),
        ("path", None),
        ("slug", "No"),
    ],
)
def test_a_value_without_a_text_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError):
        BUILT_IN_CONVERTERS[name].format(value)


def test_a_number_of_five_thousand_digits_has_no_path() -> None:
    with pytest.raises(ValueError, match="at most 20 digits"):
        BUILT_IN_CONVERTERS["int"].format(10**5000)


def test_a_number_may_fill_a_text_parameter() -> None:
    assert BUILT_IN_CONVERTERS["str"].format(7) == "7"


class Hex(Converter[int]):
    def convert(self, text: str) -> int:
        return int(text, 16)

    def format(self, value: int) -> str:
        return f"{value:x}"


class OldStyle:
    """The form that other frameworks have."""

    regex = "[a-f]+"

    def convert(self, value: str) -> str:
        return value.upper()

    def to_string(self, value: str) -> str:
        return value.lower()


@pytest.mark.parametrize("converter", [Hex, Hex()], ids=["class", "instance"])
def test_a_converter_is_registered_as_class_or_instance(converter: object) -> None:
    registry = ConverterRegistry(DEFAULT_CONVERTERS)
    registry.register("hex", converter)

    assert compile_template("/{n:hex}", registry).converters["n"].convert("ff") == 255


def test_a_converter_of_the_older_form_is_adapted() -> None:
    registry = ConverterRegistry()
    registry.register("letters", OldStyle)
    converter = registry.get("letters")

    assert (converter.convert("abc"), converter.format("ABC")) == ("ABC", "abc")
    with pytest.raises(ValueError):
        converter.convert("abc\n")


def test_a_converter_is_put_together_from_functions() -> None:
    registry = ConverterRegistry()
    registry.register("year", regex="[0-9]{4}", convert=int, to_string=lambda year: f"{year:04d}")

    assert registry.get("year").convert("2024") == 2024
    assert registry.get("year").format(99) == "0099"
    with pytest.raises(ValueError):
        registry.get("year").convert("24")


def test_a_custom_converter_sees_neither_long_nor_empty_texts_nor_control_characters() -> None:
    seen: list[str] = []
    convert = bounded_convert(FunctionConverter(convert=seen.append, max_length=5))

    for text in ("", "123456", "a\n"):
        with pytest.raises(ValueError):
            convert(text)
    convert("12345")

    assert seen == ["12345"]


def test_a_registry_of_an_application_hides_nothing_of_the_default_one() -> None:
    default = ConverterRegistry(converters=BUILT_IN_CONVERTERS)
    own = ConverterRegistry(default)
    own.register("hex", Hex)
    default.register("late", Hex)

    assert own.get("int") is BUILT_IN_CONVERTERS["int"]
    assert "late" in own.names()
    assert default.find("hex") is None


def test_a_name_registered_again_means_the_newer_converter() -> None:
    registry = ConverterRegistry()
    registry.register("n", Hex)
    registry.register("n", convert=int)

    assert registry.get("n").convert("10") == 10


def test_a_built_in_name_is_replaced_only_on_request() -> None:
    registry = ConverterRegistry(DEFAULT_CONVERTERS)
    with pytest.raises(ConfigurationError, match="'int' is built in"):
        registry.register("int", Hex)
    registry.register("int", Hex, replace=True)

    assert registry.get("int").convert("10") == 16
    assert DEFAULT_CONVERTERS.get("int").convert("10") == 10


def test_an_unknown_name_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_template("/{n:itn}", ConverterRegistry(converters=BUILT_IN_CONVERTERS))

    assert "'itn' is not known. Did you mean 'int'?" in str(caught.value)
    assert "Known are: date, datetime, float, int, path, slug, str, uuid" in str(caught.value)


class NeedsArgument(Hex):
    def __init__(self, base: int) -> None:
        self.base = base


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("a b", {"convert": int}, "cannot name a path converter"),
        ("é", {"convert": int}, "cannot name a path converter"),
        ("n", {}, "neither a converter nor 'convert='"),
        ("n", {"converter": Hex, "convert": int}, "'regex/convert/to_string' as well"),
        ("n", {"converter": 5}, r"no convert\(text\) and format\(value\)"),
        ("n", {"converter": NeedsArgument}, "Register an instance"),
        ("n", {"regex": "("}, "is not valid"),
    ],
)
def test_what_is_no_converter_is_refused(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        ConverterRegistry().register(name, **arguments)
