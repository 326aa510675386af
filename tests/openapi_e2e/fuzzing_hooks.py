"""What does the fuzzer have to know besides the document? Our formats, MessagePack, and what JSON Schema cannot say.

The process that fuzzes imports this; see `fuzzing.toml`.
"""

from typing import Any

import msgspec
import schemathesis
from hypothesis import strategies as st

__all__ = ["filter_failure"]

_ACCEPTED, _REJECTED = "ST201", "ST202"
"""Codes of the fuzzer: what it thinks wrong was accepted, what it thinks right was rejected."""
_CONTROLS = frozenset(map(chr, (*range(32), 127)))
_MULTIPART = "multipart/form-data"
_FORMS = (_MULTIPART, "application/x-www-form-urlencoded")

schemathesis.openapi.format("decimal", st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str))


@schemathesis.serializer("application/msgpack")
def to_message_pack(context: schemathesis.SerializationContext, value: Any) -> bytes:
    return msgspec.msgpack.encode(_with_64_bits(value))


def _with_64_bits(value: Any) -> Any:
    """MessagePack has no integers beyond; the nearest that it has is as right or wrong."""
    if isinstance(value, dict):
        return {name: _with_64_bits(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_64_bits(item) for item in value]
    return min(max(value, -(2**63)), 2**64 - 1) if type(value) is int else value


@schemathesis.deserializer("application/msgpack")
def from_message_pack(context: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    return msgspec.msgpack.decode(response.content)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Any, case: schemathesis.Case[Any], response: schemathesis.Response
) -> bool:
    """Drop a failure that is a difference which a schema has no words for."""
    if failure.code == _REJECTED:
        return not (_has_control_in_a_name(case) or _is_about_whole_numbers(case, response))
    return not (failure.code == _ACCEPTED and _is_flag_of_a_form(failure, case))


def _has_control_in_a_name(case: schemathesis.Case[Any]) -> bool:
    """The name of a part with a control character in it is malformed: no browser sends one."""
    return (
        case.media_type == _MULTIPART
        and isinstance(case.body, dict)
        and any(_CONTROLS.intersection(name) for name in case.body)
    )


def _is_about_whole_numbers(case: schemathesis.Case[Any], response: schemathesis.Response) -> bool:
    """To JSON Schema 38.0 is an integer (2020-12 validation, section 6.1.1); to us it is a float."""
    refused = _refused_values(case, response)
    return bool(refused) and all(isinstance(value, float) and value.is_integer() for value in refused)


def _refused_values(case: schemathesis.Case[Any], response: schemathesis.Response) -> list[object]:
    errors = response.json().get("errors", []) if response.status_code == 422 else []
    return [_value_at(case.body, error["pointer"]) for error in errors]


def _value_at(value: Any, pointer: str) -> object:
    """Return what a JSON Pointer (RFC 6901) leads to, None when there is nothing."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _is_flag_of_a_form(failure: Any, case: schemathesis.Case[Any]) -> bool:
    """A text field holds a flag as 0 or 1 too; the fuzzer knows that of a query, and not of a form."""
    return (
        case.media_type in _FORMS
        and isinstance(case.body, dict)
        and "is_new: Incorrect type" in str(failure)
        and case.body.get("is_new") in (0, 1, "0", "1")
    )
