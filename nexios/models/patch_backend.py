"""Who decodes and describes `Patch[T]`? A backend that leaves the fields of `T` to the other backends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from nexios.errors import ConfigurationError
from nexios.models.backend import SchemaMode, TypeBackend
from nexios.models.patch import Patch
from nexios.models.patch_formats import BUILTINS, JSON, MSGPACK, TEXT, PatchFormat
from nexios.models.patch_reader import Found, ModelReader, Readers, keyed_value, model_in
from nexios.models.patch_shape import shape_of
from nexios.models.problems import MAX_PROBLEMS, Invalid

__all__ = ["PatchBackend"]

_Schema: TypeAlias = dict[str, Any]


class PatchBackend:
    """The backend of `Patch[T]`; `backends` have the types of the fields of `T`, the first that handles one."""

    name = "patch"

    def __init__(self, backends: Sequence[TypeBackend]) -> None:
        self._backends = tuple(backends)

    def handles(self, kind: Any) -> bool:
        """Return whether this is `Patch[T]`, or `Patch` alone, which is refused later with a reason."""
        return (
            kind is Patch
            or get_origin(kind) is Patch
            or (get_origin(kind) is Annotated and self.handles(kind.__origin__))
        )

    def json_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a patch out of a JSON object."""
        return self._decoder(kind, JSON)

    def msgpack_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a patch out of a MessagePack map."""
        return self._decoder(kind, MSGPACK)

    def converter(self, kind: Any, *, from_text: bool) -> Callable[[Any], Any]:
        """Return what makes a patch out of a dict."""
        return self._decoder(kind, TEXT if from_text else BUILTINS)

    def to_json(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what refuses: a patch is a question, not an answer."""
        return _refuse_to_write

    def to_msgpack(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what refuses: a patch is a question, not an answer."""
        return _refuse_to_write

    def schemas(
        self, kinds: Sequence[Any], *, mode: SchemaMode, ref_template: str
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return the schemas of the models with nothing required and no defaults: `User` is "UserPatch"."""
        readers = Readers(self._backends, BUILTINS)
        models = [_model_of(kind) for kind in kinds]
        found: list[dict[str, Any]] = [{}] * len(models)
        components: dict[str, dict[str, Any]] = {}
        for backend in self._backends:
            own = {index: model for index, model in enumerate(models) if readers.backend_of(model) is backend}
            wholes, shared = backend.schemas(list(own.values()), mode="input", ref_template=ref_template)
            maker = _Loosener(shared, ref_template)
            for (index, model), whole in zip(own.items(), wholes, strict=True):
                found[index] = maker.loosened(whole, model)
                components |= maker.reachable(found[index])
        return found, components

    def _decoder(self, kind: Any, form: PatchFormat) -> Callable[[Any], Any]:
        return _Root(Readers(self._backends, form).reader_of(_model_of(kind))).read


class _Root:
    __slots__ = ("_reader",)

    def __init__(self, reader: ModelReader) -> None:
        self._reader = reader

    def read(self, document: Any) -> Any:
        found: Found = []
        patch = self._reader.read(document, (), found)
        if found:
            raise Invalid(found[:MAX_PROBLEMS])
        return patch


def _model_of(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        kind = kind.__origin__
    if kind is Patch:
        raise ConfigurationError("Patch needs to know what is changed. Write Patch[User], where User is your model.")
    return get_args(kind)[0]


def _refuse_to_write(value: Any) -> bytes:
    raise ConfigurationError(
        "a Patch cannot be sent: it is what a client asks for. Return the whole:\n\n    return patch.apply(user)\n"
    )


class _Loosener:
    """Makes the schema of a patch from that of the whole. One per model that is described."""

    def __init__(self, components: Mapping[str, _Schema], ref_template: str) -> None:
        self._components = components
        self._template = ref_template
        self._made: dict[str, _Schema] = {}

    def loosened(self, schema: _Schema, model: Any) -> _Schema:
        """Return the schema of a patch; of a component, a reference to a new one."""
        name = self._name_in(schema)
        if name is None:
            return self._of_fields(schema, model)
        patched = f"{name}Patch"
        if patched in self._components:  # a class of the developer is called so
            patched = f"{patched}_2"
        if patched not in self._made:
            self._made[patched] = {}  # it may hold itself
            self._made[patched] = self._of_fields(self._components[name], model, title=patched)
        return {**schema, "$ref": self._template.replace("{name}", patched)}

    def reachable(self, schema: _Schema) -> dict[str, _Schema]:
        """Return the components that the schema needs, and no others."""
        everything = {**self._components, **self._made}
        found: dict[str, _Schema] = {}
        waiting: list[Any] = [schema]
        while waiting:
            part = waiting.pop()
            if isinstance(part, dict):
                name = self._name_in(part)
                if name is not None and name not in found:
                    found[name] = everything[name]
                    waiting.append(everything[name])
                waiting += part.values()
            elif isinstance(part, list):
                waiting += part
        return dict(sorted(found.items()))

    def _name_in(self, schema: _Schema) -> str | None:
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return None
        before, _, after = self._template.partition("{name}")
        name = reference.removeprefix(before).removesuffix(after)
        return name if self._template.replace("{name}", name) == reference else None

    def _of_fields(self, schema: _Schema, model: Any, title: str | None = None) -> _Schema:
        kept = {
            key: value for key, value in schema.items() if key not in ("required", "examples", "example", "default")
        }
        described, shape = schema.get("properties", {}), shape_of(model)
        properties = {name: described[name] for name in (shape.tag or ())[:1] if name in described}
        for field in shape.fields.values():
            wire = next((name for name in field.wire if name in described), None)
            if wire is not None and not field.is_frozen:
                is_null_added = not field.is_nullable and field.reset is not None
                properties[wire] = self._of_field(described[wire], field.kind, is_null_added=is_null_added)
        return {**kept, **({"title": title} if title else {}), "properties": properties}

    def _of_field(self, schema: _Schema, kind: Any, *, is_null_added: bool) -> _Schema:
        schema = {key: value for key, value in schema.items() if key != "default"}
        model, value = model_in(kind), keyed_value(kind)
        if model is not None:
            schema = self._with_model(schema, model)
        elif value is not None and isinstance(schema.get("additionalProperties"), dict):
            inner = self._of_field(schema["additionalProperties"], value, is_null_added=True)
            schema = {**schema, "additionalProperties": inner}
        return _or_null(schema) if is_null_added else schema

    def _with_model(self, schema: _Schema, model: Any) -> _Schema:
        """The reference may stand alone or beside null."""
        if "$ref" in schema:
            return self.loosened(schema, model)
        return {
            key: [self._with_model(each, model) for each in value] if key in ("anyOf", "oneOf", "allOf") else value
            for key, value in schema.items()
        }


def _or_null(schema: _Schema) -> _Schema:
    described: _Schema = {key: schema[key] for key in ("title", "description") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in described}
    choices = rest["anyOf"] if list(rest) == ["anyOf"] else [rest]
    return {**described, "anyOf": [*choices, {"type": "null"}]} if {"type": "null"} not in choices else schema
