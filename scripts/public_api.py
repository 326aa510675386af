"""Which names can users import, and with which signatures?

`tests/public_api.txt` holds one line for each name in the `__all__` of each
window. A change of the public API is a changed line in review:

    .venv/bin/python scripts/public_api.py             # compare
    .venv/bin/python scripts/public_api.py --update    # rewrite

Signatures are the words of the source, so every version of Python prints the
same ones.
"""

import ast
import difflib
import importlib
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "tests" / "public_api.txt"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(arguments: list[str]) -> int:
    """Compare the snapshot with the code, or rewrite it."""
    lines = describe(ROOT / "nexios")
    if "--update" in arguments:
        SNAPSHOT.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        print(f"{SNAPSHOT.relative_to(ROOT)}: {len(lines)} names")
        return 0
    changes = compare(SNAPSHOT.read_text(encoding="utf-8").splitlines() if SNAPSHOT.exists() else [], lines)
    print(*changes, sep="\n")
    return 1 if changes else 0


def compare(expected: list[str], found: list[str]) -> list[str]:
    """Return the changed lines, and what to do about them; nothing when there are none."""
    changes = [line for line in difflib.ndiff(expected, found) if line[0] in "+-"]
    hint = "If this is meant: python scripts/public_api.py --update, and a changelog fragment in changes/."
    return [*changes, "", hint] if changes else []


def describe(package: Path) -> list[str]:
    """Return one line for each public name, sorted."""
    lines = []
    for window in windows(package):
        module = importlib.import_module(window)
        names = getattr(module, "__all__", ())
        lines += [
            f"{window}.{name}{signature(getattr(module, name)) or assignment(window, name)}"
            for name in sorted(set(names))
        ]
    return sorted(lines)


def windows(package: Path) -> Iterator[str]:
    """Yield the packages users import from, and the modules that stand alone."""
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package.parent).with_suffix("").parts
        is_window = module[-1] == "__init__" or len(module) == 2
        parts = module[:-1] if module[-1] == "__init__" else module
        if is_window and not any(part.startswith("_") for part in parts):
            yield ".".join(parts)


def signature(value: object) -> str:
    """Return what follows the name of a class or function; nothing for other values."""
    if inspect.isclass(value):
        return class_signature(value)
    if inspect.isfunction(value):
        function = inspect.unwrap(value)
        node = definition(function.__module__, function.__qualname__)
        if isinstance(node, Function):
            return parameters(node)
    return ""


def assignment(module: str, name: str) -> str:
    """Return the value or type that a constant or alias is given in the module it comes from."""
    for node in getattr(parsed(module), "body", []):
        if isinstance(node, ast.ImportFrom) and any(name == (alias.asname or alias.name) for alias in node.names):
            original = next(alias.name for alias in node.names if name == (alias.asname or alias.name))
            return assignment(node.module or "", original)
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            kind = ast.unparse(node.annotation)
            return f" = {ast.unparse(node.value)}" if kind == "Final" and node.value else f": {kind}"
        if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            return f" = {ast.unparse(node.value)}"
    return ""


def class_signature(kind: type) -> str:
    """Return the parameters of the constructor, written or made from fields, or else the bases."""
    for base in kind.__mro__:
        node = definition(base.__module__, base.__qualname__)
        if not isinstance(node, ast.ClassDef):
            continue
        for part in node.body:
            if isinstance(part, Function) and part.name == "__init__":
                return parameters(part)
        if has_fields(base) and (fields := list(field_words(node))):
            return f"({', '.join(fields)})"
    return f": class({', '.join(base.__name__ for base in kind.__bases__)})"


def field_words(node: ast.ClassDef) -> Iterator[str]:
    """Yield "name: type = default" for each field; a default made by a call is "..."."""
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.unparse(part.annotation):
            made = isinstance(part.value, ast.Call)
            yield f"{ast.unparse(part.target)}: {ast.unparse(part.annotation)} = ..." if made else ast.unparse(part)


def has_fields(kind: type) -> bool:
    """Is the constructor made from annotations: a dataclass, a Struct or a named tuple?"""
    return any(hasattr(kind, mark) for mark in ("__dataclass_fields__", "__struct_fields__", "_fields"))


def parameters(node: Function) -> str:
    """Return "(a, b: int = 1) -> str" as it stands in the source, without self."""
    own = [*node.args.posonlyargs, *node.args.args]
    words = ast.unparse(node.args)
    if own and own[0].arg in ("self", "cls"):
        words = words.removeprefix(ast.unparse(own[0])).removeprefix(", /").removeprefix(", ")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    return f"({words}){returns}"


def definition(module: str, qualname: str) -> ast.AST | None:
    """Return the node that defines a name of nexios; the last one, where overloads come first."""
    node: ast.AST | None = parsed(module)
    for name in qualname.split("."):
        body = getattr(node, "body", [])
        found = [part for part in body if isinstance(part, Function | ast.ClassDef) and part.name == name]
        node = found[-1] if found else None
    return node


@cache
def parsed(module: str) -> ast.Module | None:
    """Return the syntax tree of a module of nexios; None for everything else."""
    place = ROOT.joinpath(*module.split("."))
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    ours = module.split(".")[0] == "nexios" and source.exists()
    return ast.parse(source.read_text(encoding="utf-8")) if ours else None


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
