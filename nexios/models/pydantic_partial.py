"""How are some of the fields of a pydantic model read, each by the rules of the model, and put into one? For `Patch`.

The core schema of the model is taken apart: its fields, with their types, constraints, aliases
and field validators, become those of a dict in which each may be absent. Validators of the
whole model do not run: there is no whole yet.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from nexios.errors import ConfigurationError
from nexios.models.problems import Invalid, Problem, pointer_of
from nexios.models.pydantic_backend import (
    adapter_of,
    check_json,
    hurried_validator,
    refusal,
    schema_validator,
    validation_error,
)
from nexios.models.pydantic_hurry import LONG
from nexios.models.pydantic_problems import Wire, paths_of
from nexios.models.pydantic_text import text_reader_of

__all__ = ["PartialReader"]


class PartialReader:
    """Reads some fields of one model. Made when the application is compiled, shared by all requests.

    Shape: `fields` is attribute to its names on the wire, the preferred one first; `unknown` is what
    the model does with other fields ("ignore", "forbid" or "allow"); `frozen` are attributes that may not change.

    Raises:
        ConfigurationError: The model has no fields, or a field is only reached by an alias that is a path.
    """

    __slots__ = (
        "_error",
        "_hurried",
        "_kind",
        "_read_text",
        "_validator",
        "_whole",
        "_wire",
        "fields",
        "frozen",
        "unknown",
    )

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._whole = adapter_of(kind)
        definitions, node, config = _fields_node(self._whole.core_schema, kind)
        named = _fields_of(node)
        self.fields: dict[str, list[str]] = {
            name: _wire_names(kind, name, field, config) for name, field in named.items()
        }
        self.frozen: frozenset[str] = frozenset(name for name, field in named.items() if field.get("frozen"))
        self.unknown: str = node.get("extra_behavior") or config.get("extra_fields_behavior") or "ignore"
        loose = {
            "type": "typed-dict",
            "fields": {name: _optional(field) for name, field in named.items()},
            "total": False,
            "extra_behavior": self.unknown,
            "config": config,
        }
        whole = {"type": "definitions", "schema": loose, "definitions": definitions} if definitions else loose
        self._validator = schema_validator(whole, config)
        self._hurried = hurried_validator(whole, config)
        self._wire = Wire(whole)
        self._read_text = text_reader_of(whole)
        self._error = validation_error()

    def from_json(self, document: bytes) -> dict[str, Any]:
        """Return attribute to value; raise Invalid with all problems, or Malformed."""
        check_json(document)
        validator = self._validator if len(document) < LONG else self._hurried
        return self._run(validator.validate_json, document, strict=None)

    def from_builtins(self, document: Mapping[str, Any], *, from_text: bool = False) -> dict[str, Any]:
        """Return attribute to value; raise Invalid with all problems."""
        if from_text:
            return self._run(self._validator.validate_python, self._read_text(document), strict=False)
        return self._run(self._validator.validate_python, document, strict=None)

    def fit_of(self, name: str) -> Callable[[Any], Any]:
        """Return what checks the value of one field, known by its name on the wire; it raises Invalid."""

        def fit(value: Any) -> Any:
            try:
                return self.from_builtins({name: value})
            except Invalid as refusal:
                start = len(pointer_of([name]))
                raise Invalid(
                    Problem(each.pointer[start:], each.code, each.detail) for each in refusal.problems
                ) from None

        return fit

    def build(self, target: Any, changes: Mapping[str, Any]) -> Any:
        """Return a new object, validated as a whole: `target` with the changes, or of the changes alone.

        All validators run, also those of fields that did not change. A subclass stays one, and what was
        never set counts as not set (`exclude_unset`). It raises Invalid.
        """
        fields = getattr(type(target), "__pydantic_fields__", {})
        kept = {name: getattr(target, name) for name in fields if hasattr(target, name)}
        kept |= getattr(target, "__pydantic_extra__", None) or {}
        whole = self._whole if target is None or type(target) is self._kind else adapter_of(type(target))
        try:
            made = whole.validate_python(kept | dict(changes), by_alias=False, by_name=True)
        except self._error as error:
            raise refusal(error, Wire(whole.core_schema)) from None
        if target is not None and hasattr(made, "model_fields_set"):
            made.model_fields_set.intersection_update(target.model_fields_set | changes.keys())
        return made

    def _run(self, validate: Callable[..., Any], document: Any, *, strict: bool | None) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", validate(document, strict=strict))
        except self._error as error:
            raise refusal(error, self._wire) from None
        except KeyError as error:  # a field validator that looks up another field in `info.data`
            raise Invalid([Problem("", "invalid", "lacks a field that another one is checked with")]) from error


def _fields_node(schema: Any, kind: Any) -> tuple[list[Any], Mapping[str, Any], Mapping[str, Any]]:
    """Return the shared definitions, the node with the fields, and the settings of the model around it."""
    definitions: dict[str, Any] = {}
    config: Mapping[str, Any] = {}
    while schema is not None and schema["type"] not in ("model-fields", "dataclass-args"):
        if schema["type"] == "definitions":
            definitions |= {each["ref"]: each for each in schema["definitions"]}
        config = schema.get("config", config)
        if schema["type"] == "definition-ref":
            schema = definitions[schema["schema_ref"]]
        else:
            schema = None if schema.get("root_model") else schema.get("schema")
    if schema is None:
        raise ConfigurationError(f"Patch[...] takes a model with fields, and {kind!r} has none.")
    return list(definitions.values()), schema, config


def _fields_of(node: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    fields = node["fields"]
    return dict(fields) if isinstance(fields, Mapping) else {field["name"]: field for field in fields}


def _optional(field: Mapping[str, Any]) -> dict[str, Any]:
    """A field that may be absent, and then stays so."""
    inner = field["schema"]
    if inner["type"] == "default":
        inner = inner["schema"]
    aliases = {"validation_alias": field["validation_alias"]} if "validation_alias" in field else {}
    return {"type": "typed-dict-field", "schema": inner, "required": False, **aliases}


def _wire_names(kind: Any, name: str, field: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    paths = paths_of(field) if config.get("validate_by_alias", True) else []
    names = [str(path[0]) for path in paths if len(path) == 1]
    if paths and not names:
        raise ConfigurationError(f"Patch[...] cannot change {name!r} of {kind!r}: its alias is a path.")
    return [*names, name] if not paths or config.get("validate_by_name") else names
