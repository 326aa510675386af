"""HTTP dates: one form out, three in (RFC 9110, 5.6.7)."""

import math
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.http.dates import format_http_date, parse_http_date

SECONDS = st.integers(
    int(datetime(1, 1, 1, tzinfo=UTC).timestamp()), int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
)
EXAMPLE = 784111777.0
IN_1995 = 800_000_000.0


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_the_three_forms_of_the_rfc_are_one_time(text: str) -> None:
    assert parse_http_date(text, now=IN_1995) == EXAMPLE


def test_asctime_has_two_digits_for_the_later_days() -> None:
    assert parse_http_date("Wed Nov 16 08:49:37 1994") == EXAMPLE + 10 * 86_400


@given(SECONDS)
def test_a_date_reads_back(second: int) -> None:
    assert parse_http_date(format_http_date(second)) == second


@given(st.integers(0, 2**33))
def test_a_date_is_written_as_the_standard_library_writes_it(second: int) -> None:
    assert format_http_date(second) == formatdate(second, usegmt=True)


def test_a_part_of_a_second_is_cut_off_before_1970_too() -> None:
    assert format_http_date(0.999) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert format_http_date(-0.001) == "Wed, 31 Dec 1969 23:59:59 GMT"


@pytest.mark.parametrize("timestamp", [math.nan, math.inf, -math.inf, 1e12, -1e12, 1e300])
def test_a_time_outside_the_calendar_has_no_date(timestamp: float) -> None:
    with pytest.raises(ValueError, match="date"):
        format_http_date(timestamp)


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08-49-37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun,  06 Nov 1994 08:49:37 GMT", "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37", "Sun Nov 6 08:49:37 1994", "Sun Nov  06 08:49:37 1994", "Sun Nov 06 08:49:37",
        "784111777", "Sun, 06 Nov 1994 08:49:37 GMT; length=12", "Sun Nov " + " " * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_http_date(text, now=IN_1995) is None


def test_a_leap_second_is_the_next_minute() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(2017, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("now", "short_year", "year"), [
    (1995, "94", 1994), (2026, "94", 1994), (2026, "76", 2076), (2026, "77", 1977), (1960, "05", 2005),
    (1960, "15", 1915), (2000, "50", 2050), (2000, "51", 1951),
])  # fmt: skip
def test_a_year_of_two_digits_is_at_most_50_years_ahead(now: int, short_year: str, year: int) -> None:
    moment = datetime(now, 7, 1, tzinfo=UTC).timestamp()

    parsed = parse_http_date(f"Sunday, 06-Nov-{short_year} 08:49:37 GMT", now=moment)

    assert parsed == datetime(year, 11, 6, 8, 49, 37, tzinfo=UTC).timestamp()


def test_without_now_the_clock_decides_the_century() -> None:
    parsed = parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT")

    assert parsed is not None
    assert datetime.fromtimestamp(parsed, UTC).year % 100 == 94


@given(st.text() | st.text("SunNov0619748:,-GMT ", max_size=34))
def test_any_text_is_a_date_or_none(text: str) -> None:
    parsed = parse_http_date(text)

    assert parsed is None or parsed == int(parsed)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_asctime_reads_back(moment: datetime) -> None:
    text = f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}"

    assert parse_http_date(text) == moment.replace(microsecond=0).timestamp()
    assert parse_http_date(format_datetime(moment, usegmt=True)) == moment.replace(microsecond=0).timestamp()
