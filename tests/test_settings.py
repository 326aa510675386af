"""Settings: where a value comes from, and how every fault is told at once."""

import logging
import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.settings import Limits, Settings


def test_the_defaults_are_safe() -> None:
    settings = Settings()

    assert settings.debug is False
    assert settings.slashes == "redirect"
    assert settings.secret_key is None
    assert settings.thread_limit == min(40, 4 * (os.cpu_count() or 1))
    assert settings.limits.max_body_size == 10 * 1024 * 1024


def test_an_argument_wins_over_the_environment_and_that_over_the_default() -> None:
    environ = {"NEXIOS_TITLE": "from environment", "NEXIOS_VERSION": "2.0.0"}

    settings = Settings.from_environment(environ, title="from argument")

    assert (settings.title, settings.version, settings.slashes) == ("from argument", "2.0.0", "redirect")


def test_an_argument_wins_even_over_a_variable_that_is_invalid() -> None:
    assert Settings.from_environment({"NEXIOS_DEBUG": "perhaps"}, debug=True).debug is True


def test_without_a_mapping_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXIOS_SHUTDOWN_GRACE", "2.5")

    assert Settings.from_environment().shutdown_grace == 2.5


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on", "On"])
def test_words_for_true(text: str) -> None:
    assert Settings.from_environment({"NEXIOS_DEBUG": text}).debug is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off", "OFF"])
def test_words_for_false(text: str) -> None:
    assert Settings.from_environment({"NEXIOS_DEBUG": text}, debug=False).debug is False
    assert Settings.from_environment({"NEXIOS_DEBUG": text}).debug is False


@pytest.mark.parametrize("text", ["", "2", "y", "maybe", " true", "none"])
def test_debug_is_never_on_by_accident(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NEXIOS_DEBUG: expected a bool"):
        Settings.from_environment({"NEXIOS_DEBUG": text})


def test_a_limit_is_named_after_two_underscores() -> None:
    environ = {"NEXIOS_LIMITS__MAX_RANGES": "3", "NEXIOS_LIMITS__SEND_TIMEOUT": "1.5"}

    limits = Settings.from_environment(environ).limits

    assert (limits.max_ranges, limits.send_timeout) == (3, 1.5)


def test_none_takes_a_limit_away_where_the_type_allows_it() -> None:
    limits = Settings.from_environment({"NEXIOS_LIMITS__MAX_BODY_SIZE": "none"}).limits

    assert limits.max_body_size is None
    with pytest.raises(ConfigurationError, match="NEXIOS_LIMITS__MAX_RANGES: expected an int of 0 or more, got 'none'"):
        Settings.from_environment({"NEXIOS_LIMITS__MAX_RANGES": "none"})


def test_limits_given_as_a_mapping_change_a_few_and_the_environment_the_others() -> None:
    environ = {"NEXIOS_LIMITS__MAX_RANGES": "3", "NEXIOS_LIMITS__MAX_HEADERS": "7"}

    limits = Settings.from_environment(environ, limits={"max_ranges": 5}).limits

    assert (limits.max_ranges, limits.max_headers, limits.max_query_params) == (5, 7, 1000)


def test_limits_given_whole_replace_those_of_the_environment() -> None:
    environ = {"NEXIOS_LIMITS__MAX_RANGES": "3"}

    assert Settings.from_environment(environ, limits=Limits(max_headers=7)).limits == Limits(max_headers=7)


def test_all_faults_are_told_at_once() -> None:
    environ = {
        "NEXIOS_DEBUG": "maybe",
        "NEXIOS_SLASHES": "sometimes",
        "NEXIOS_SHUTDOWN_GRACE": "inf",
        "NEXIOS_LIMITS__MAX_BODY_SIZE": "-1",
        "NEXIOS_LIMITS__MAX_BODY_SZIE": "1024",
    }

    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment(environ, tittle="shop", thread_limit=0, limits={"max_ranges": True, "other": 1})

    assert str(caught.value).splitlines()[:9] == [
        "Settings cannot be made:",
        "",
        "  tittle: no such setting; did you mean title?",
        "  thread_limit: expected an int of 1 or more, got 0",
        "  NEXIOS_DEBUG: expected a bool (true/false, 1/0, yes/no, on/off), got 'maybe'",
        "  NEXIOS_SLASHES: expected one of strict, redirect, ignore, got 'sometimes'",
        "  NEXIOS_SHUTDOWN_GRACE: expected a float of 0 or more, got 'inf'",
        "  limits.max_ranges: expected an int of 0 or more, got True",
        "  limits.other: no such setting; there are body_read_timeout, max_body_size, max_form_fields, "
        "max_form_files, max_form_part_size, max_form_text_size, max_header_size, max_headers, max_json_depth, "
        "max_message_size, max_messages_per_second, max_part_header_size, max_part_headers, max_path_size, "
        "max_query_params, max_query_size, max_ranges, max_streams, max_websockets, send_timeout, spool_size, "
        "websocket_receive_timeout",
    ]
    assert str(caught.value).splitlines()[9:] == [
        "  NEXIOS_LIMITS__MAX_BODY_SIZE: expected an int of 0 or more, or none, got '-1'",
        "  NEXIOS_LIMITS__MAX_BODY_SZIE: no such setting; did you mean NEXIOS_LIMITS__MAX_BODY_SIZE?",
    ]


def test_limits_of_another_type_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="limits: expected a Limits or a mapping of its fields, got 3"):
        Settings.from_environment({}, limits=3)
    with pytest.raises(ConfigurationError, match="limits: expected a Limits, got None"):
        Settings(limits=None)  # type: ignore[arg-type]


def test_variables_of_other_tools_are_left_alone() -> None:
    assert Settings.from_environment({"NEXIOS_TEST_REDIS_URL": "redis://", "PATH": "/bin"}) == Settings()


def test_the_secret_is_shown_nowhere() -> None:
    settings = Settings(secret_key="correct horse battery staple")

    assert "correct" not in repr(settings)
    assert "secret" not in repr(settings)
    with pytest.raises(ConfigurationError) as caught:
        Settings(secret_key=b"correct horse", debug="no")  # type: ignore[arg-type]
    assert "secret_key: expected a str that is not empty, got (hidden)" in str(caught.value)
    assert "correct" not in str(caught.value)


def test_a_secret_under_a_misspelt_name_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({}, secret_kee="correct horse")

    assert "secret_kee: no such setting; did you mean secret_key?" in str(caught.value)
    assert "correct" not in str(caught.value)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("correct horse\n")

    assert Settings.from_environment({"NEXIOS_SECRET_KEY_FILE": str(file)}).secret_key == "correct horse"


def test_a_secret_is_not_given_twice(tmp_path: Path) -> None:
    environ = {"NEXIOS_SECRET_KEY": "correct", "NEXIOS_SECRET_KEY_FILE": str(tmp_path / "key")}

    with pytest.raises(ConfigurationError, match="either this or NEXIOS_SECRET_KEY_FILE, got both") as caught:
        Settings.from_environment(environ)
    assert "correct" not in str(caught.value)


def test_a_secret_file_that_cannot_be_read_or_is_empty_is_a_fault(tmp_path: Path) -> None:
    binary, empty = tmp_path / "binary", tmp_path / "empty"
    binary.write_bytes(b"\xff\xfe")
    empty.write_text("\n")

    for path in (tmp_path / "absent", binary, tmp_path):
        with pytest.raises(ConfigurationError, match="NEXIOS_SECRET_KEY_FILE: expected a readable UTF-8 file"):
            Settings.from_environment({"NEXIOS_SECRET_KEY_FILE": str(path)})
    with pytest.raises(ConfigurationError, match="NEXIOS_SECRET_KEY: expected a str that is not empty"):
        Settings.from_environment({"NEXIOS_SECRET_KEY_FILE": str(empty)})


def test_only_a_secret_may_be_in_a_file() -> None:
    assert Settings.from_environment({"NEXIOS_TITLE_FILE": "/nowhere"}).title == "nexios"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "30", True])
def test_a_timeout_is_a_finite_number(value: object) -> None:
    with pytest.raises(ConfigurationError, match="send_timeout: expected a float of 0 or more, or none"):
        Limits(send_timeout=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["٣", "1_000", "10 MiB", "", " 1", "nan"])
def test_a_number_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NEXIOS_LIMITS__MAX_RANGES"):
        Settings.from_environment({"NEXIOS_LIMITS__MAX_RANGES": text})


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({"NEXIOS_DEBUG": "x" * 10_000})

    assert len(str(caught.value)) < 300


def test_zero_is_a_limit() -> None:
    assert Limits(max_ranges=0, max_body_size=0, send_timeout=0).max_ranges == 0


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().debug = True  # type: ignore[misc]


def test_a_subclass_has_settings_of_its_own() -> None:
    class Mine(Settings):
        pass

    assert isinstance(Mine.from_environment({"NEXIOS_DEBUG": "on"}), Mine)


@given(
    st.sampled_from(["DEBUG", "SLASHES", "THREAD_LIMIT", "STARTUP_TIMEOUT", "LIMITS__MAX_HEADERS", "ALLOWED_ORIGINS"]),
    st.text() | st.text("ahtps:/,*.@ 1"),
)
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    environ = {f"NEXIOS_{name}": text}

    try:
        outcome = repr(Settings.from_environment(environ))
    except ConfigurationError as exc:
        outcome = str(exc)

    assert outcome.startswith("Settings(") or f"NEXIOS_{name}: expected" in outcome


# Variables that nothing reads


def test_a_variable_that_is_nearly_a_setting_is_warned_of_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    environ = {"NEXIOS_SECRETKEY": "hunter2", "NEXIOS_MAX_BODY_SIZE": "1", "NEXIOS_DEBUGG": "true"}

    settings = Settings.from_environment(environ)

    assert (settings.debug, settings.secret_key) == (False, None)
    assert [record.getMessage() for record in caplog.records] == [
        "nothing reads these environment variables: NEXIOS_DEBUGG (did you mean NEXIOS_DEBUG?), "
        "NEXIOS_MAX_BODY_SIZE (did you mean NEXIOS_LIMITS__MAX_BODY_SIZE?), "
        "NEXIOS_SECRETKEY (did you mean NEXIOS_SECRET_KEY?)"
    ]
    assert (caplog.records[0].name, caplog.records[0].levelno) == ("nexios", logging.WARNING)


@pytest.mark.parametrize(
    "name", ["NEXIOS_DEPLOYED_BY", "NEXIOS_TEST_REDIS_URL", "NEXIOS_REGION", "NEXIOS_", "NEXIOSDEBUG", "DEBUGG"]
)
def test_a_variable_that_is_like_no_setting_is_left_alone(name: str, caplog: pytest.LogCaptureFixture) -> None:
    Settings.from_environment({name: "x"})

    assert caplog.records == []


def test_every_variable_that_is_read_is_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text("k")
    environ = {"NEXIOS_SECRET_KEY_FILE": str(tmp_path / "key"), "NEXIOS_LIMITS__MAX_RANGES": "1", "NEXIOS_TITLE": "t"}

    Settings.from_environment(environ, title="from the argument")

    assert caplog.records == []


# Origins


def test_origins_are_separated_by_commas_in_the_environment() -> None:
    environ = {"NEXIOS_ALLOWED_ORIGINS": "https://app.example, http://localhost:5173"}

    assert Settings.from_environment(environ).allowed_origins == ("https://app.example", "http://localhost:5173")
    assert Settings.from_environment({"NEXIOS_ALLOWED_ORIGINS": " "}).allowed_origins == ()
    assert Settings.from_environment({}).allowed_origins == ()


def test_origins_may_be_given_as_a_list_and_are_kept_as_a_tuple() -> None:
    settings = Settings.from_environment({}, allowed_origins=["https://app.example", "capacitor://localhost"])

    assert settings.allowed_origins == ("https://app.example", "capacitor://localhost")
    assert hash(settings.allowed_origins)


@pytest.mark.parametrize(
    "text",
    [
        "app.example", "https://", "https://app.example/", "https://app.example/path", "https://app.example?x",
        "https://me@app.example", "https://*.app.example", "://app.example", "1x://app.example", "https://äpp.example",
        "https://a.example https://b.example", "https://a\t.example", "null", ",", "https://a.example,",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r'NEXIOS_ALLOWED_ORIGINS: expected origins as "https://app\.example"'):
        Settings.from_environment({"NEXIOS_ALLOWED_ORIGINS": text})


@pytest.mark.parametrize("value", ["https://app.example", None, 7, [7], {"https://app.example"}])
def test_origins_are_a_tuple_or_a_list(value: object) -> None:
    with pytest.raises(ConfigurationError, match="allowed_origins: expected origins as"):
        Settings(allowed_origins=value)  # type: ignore[arg-type]
