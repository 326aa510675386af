"""The targets of `python3 dev fuzz`, over what they begin with and changes of it, the same ones each time."""

import pytest

from fuzz.__main__ import main
from fuzz.target import Broken, Target, claim, drive, only, pieces, variations
from fuzz.targets import TARGETS
from nexios.errors import BadRequest, ContentTooLarge, HTTPException

VARIATIONS = 60


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_keeps_its_promises(name: str) -> None:
    target = TARGETS[name]

    for data in variations(target, VARIATIONS):
        target.run(data)

    assert target.run.__doc__


def test_names_of_targets_are_words_of_a_command() -> None:
    assert all(name.replace("-", "").isalpha() and name.islower() for name in TARGETS)


def test_seeds_differ_and_fit() -> None:
    for target in TARGETS.values():
        assert len(set(target.seeds)) == len(target.seeds) > 0
        assert max(map(len, target.seeds)) <= target.longest


def test_variations_are_the_same_each_time() -> None:
    target = TARGETS["cookies"]

    assert list(variations(target, 20)) == list(variations(target, 20))
    assert len(set(variations(target, 20))) > 15


def test_a_broken_promise_is_told() -> None:
    with pytest.raises(Broken, match="two is one"):
        claim([], "two is one")


def test_errors_of_a_client_pass_and_others_do_not() -> None:
    with only(BadRequest):
        raise BadRequest

    with pytest.raises(ContentTooLarge), only(BadRequest):
        raise ContentTooLarge


def test_a_fault_of_ours_is_no_error_of_a_client() -> None:
    with pytest.raises(Broken, match="500 is no fault of a client"), only(HTTPException):
        raise HTTPException(500)


def test_an_unknown_target_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cookeis"]) == 2
    assert "there is no target 'cookeis'; there are: cookies, set-cookies," in capsys.readouterr().err


def test_pieces_are_as_many_as_asked_for() -> None:
    assert pieces(b"a\nb\nc", 2) == [b"a", b"b\nc"]
    assert pieces(b"a", 3) == [b"a", b"", b""]


def test_what_waits_for_nothing_runs_without_a_loop() -> None:
    async def parse() -> int:
        return 7

    assert drive(parse()) == 7


def test_each_target_is_named_after_its_parser() -> None:
    assert [name for name, target in TARGETS.items() if not isinstance(target, Target) or target.name != name] == []
