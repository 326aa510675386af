"""State and path parameters: names that hold values, and say so when they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.messages.state import PathParams, State


def test_a_value_is_an_attribute_and_an_item() -> None:
    state = State(user="ada")
    state["role"] = "admin"

    assert (state.user, state["user"], state.role, state["role"]) == ("ada", "ada", "admin", "admin")


def test_a_name_that_was_never_set_is_an_error_that_tells_which_were() -> None:
    """A silent None would hide a typing mistake."""
    state = State(user="ada", role="admin")

    with pytest.raises(AttributeError) as caught:
        _ = state.usr

    assert str(caught.value) == "state has no 'usr'; it holds: role, user"


def test_an_empty_state_says_that_it_is_empty() -> None:
    with pytest.raises(AttributeError, match=r"state has no 'user'; it holds: nothing yet"):
        _ = State().user


def test_a_missing_item_is_a_key_error_and_get_has_a_default() -> None:
    state = State(user=None)

    with pytest.raises(KeyError):
        state["role"]
    assert (state.get("role"), state.get("role", "none"), state.get("user", "default")) == (None, "none", None)


def test_hasattr_and_getattr_with_a_default_work() -> None:
    state = State(user="ada")

    assert (hasattr(state, "user"), hasattr(state, "role"), getattr(state, "role", "none")) == (True, False, "none")


def test_values_are_removed_as_attribute_or_item() -> None:
    state = State(a=1, b=2, c=3)

    del state.a
    del state["b"]

    assert list(state) == ["c"]
    with pytest.raises(AttributeError, match="state has no 'a'"):
        del state.a
    with pytest.raises(KeyError):
        del state["b"]


def test_it_is_counted_iterated_and_asked_by_name() -> None:
    state = State(a=1)
    state.update(b=2, c=3)

    assert (len(state), list(state), "b" in state, "d" in state) == (3, ["a", "b", "c"], True, False)


@pytest.mark.parametrize("name", ["get", "update", "__class__", "__dict__", "_values"])
def test_a_method_is_not_hidden_by_a_value(name: str) -> None:
    state = State()

    with pytest.raises(AttributeError):
        setattr(state, name, 1)


def test_a_name_that_is_a_method_is_still_an_item() -> None:
    state = State()
    state["get"] = 1

    assert (state["get"], state.get("get")) == (1, 1)


def test_any_name_can_be_given_at_once() -> None:
    """`self` is one of them: a lifespan may yield it."""
    state = State(self=1)
    state.update(self=2)

    assert state["self"] == 2


def test_the_repr_has_names_and_no_values() -> None:
    assert repr(State(token="s3cret", user="ada")) == "State(token, user)"


@given(st.dictionaries(st.text(), st.integers()))
def test_every_item_that_was_set_is_read_back(values: dict[str, int]) -> None:
    state = State()
    for name, value in values.items():
        state[name] = value

    assert {name: state[name] for name in state} == values


def test_path_parameters_are_attributes_and_items() -> None:
    params = PathParams(item_id=7, name="x")

    assert (params.item_id, params["item_id"], params.name) == (7, 7, "x")


@pytest.mark.parametrize("name", ["keys", "items", "get", "values", "pop", "update", "copy", "clear"])
def test_a_path_parameter_may_be_called_like_a_method_of_dict(name: str) -> None:
    params = PathParams({name: "value"})

    assert getattr(params, name) == "value"
    assert {**params} == {name: "value"}
    assert dict(params) == {name: "value"}


def test_a_path_parameter_that_is_not_there_is_an_error_that_tells_which_are() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = PathParams(item_id=7, name="x").id

    assert str(caught.value) == "the path has no parameter 'id'; it has: item_id, name"


def test_a_path_without_parameters_says_so() -> None:
    with pytest.raises(AttributeError, match="it has: none"):
        _ = PathParams().id
