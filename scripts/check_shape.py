"""Does the code keep the shape that ARCHITECTURE.md describes?

One line for each fault, as `file:line: what`. Code is read, never imported.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

MAX_FILE, MAX_FUNCTION = 450, 40  # lines
PURE, IMPURE = ("nexios/http/", "nexios/routing/"), {"anyio", "asyncio", "socket", "threading"}
SERVER_WORDS = {"scope", "receive", "send"}
SPEAKS_ASGI = ("nexios/_servers/", "nexios/testing/", "nexios/application.py")  # servers, one in memory, their door
LATE_IMPORTS = {"nexios/cli/run.py"}  # files that import an optional package when it is asked for
ASSERTING = ("raises", "warns", "assert_", "check_", "expect_")

Fault = tuple[int, str]  # line, words
Rule = Callable[[str, ast.Module, Path], Iterator[Fault]]
Documented = dict[str, set[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(root: Path) -> int:
    """Print every fault below the root; return 1 when there is one."""
    faults = [f"{name}:{line}: {text}" for name, line, text in sorted(find_faults(root))]
    print(*faults, f"{len(faults)} faults of shape", sep="\n")
    return 1 if faults else 0


def find_faults(root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield (file, line, fault) for the package and its tests."""
    for folder in ("nexios", "tests"):
        files = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in (root / folder).rglob("*.py")}
        trees = {name: ast.parse(text, name) for name, text in files.items()}
        docstrings = partial(every_docstring, documented_methods(trees.values()))
        rules: tuple[Rule, ...] = (tests_assert,) if folder == "tests" else (sizes, imports, purity, docstrings)
        for rule in rules:
            yield from ((name, line, text) for name in trees for line, text in rule(name, trees[name], root))


def sizes(name: str, tree: ast.Module, root: Path) -> Iterator[Fault]:
    """Hold a file to 450 lines and a function body to 40, its docstring aside."""
    if (lines := (root / name).read_text(encoding="utf-8").count("\n")) > MAX_FILE:
        yield 1, f"{lines} lines; {MAX_FILE} at most"
    for function in functions(tree):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body and (length := (function.end_lineno or 0) - body[0].lineno + 1) > MAX_FUNCTION:
            yield function.lineno, f"{function.name}() has {length} lines; {MAX_FUNCTION} at most"


def imports(name: str, tree: ast.Module, root: Path) -> Iterator[Fault]:
    """Refuse imports inside functions, for type checkers alone, and from windows."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and name not in LATE_IMPORTS and packages(name, node):
            yield node.lineno, f"{node.name}() imports; import at the top"
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and "nexios" in packages(name, node):
            yield node.lineno, "nexios is imported under TYPE_CHECKING; own a small Protocol instead"
        if isinstance(node, ast.Import | ast.ImportFrom):
            windows = {module for module, taken in imported(name, node) if is_window(root, module, taken)}
            yield from ((node.lineno, f"imports from the window {module}") for module in sorted(windows))


def imported(name: str, tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name taken from it) for each import below a node; relative ones in full."""
    package = name.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (above, node.module)))
            yield from ((module, alias.name) for alias in node.names)


def packages(name: str, tree: ast.AST) -> set[str]:
    """Return the top-level packages that are imported below a node."""
    return {module.split(".")[0] for module, _ in imported(name, tree)}


def is_window(root: Path, module: str, attribute: str) -> bool:
    """`from package import module` is fine; taking anything else from a package is not."""
    folder = root.joinpath(*module.split("."))
    ours = module.split(".")[0] == "nexios" and folder.is_dir()
    return ours and not ((folder / f"{attribute}.py").is_file() or (attribute and (folder / attribute).is_dir()))


def purity(name: str, tree: ast.Module, _root: Path) -> Iterator[Fault]:
    """Keep parsing and matching free of async and sockets, and the words of ASGI where they belong."""
    pure = name.startswith(PURE)
    for node in ast.walk(tree):
        if pure and isinstance(node, ast.AsyncFunctionDef):
            yield node.lineno, f"async def {node.name}() in a folder without async"
        if pure and isinstance(node, ast.Import | ast.ImportFrom) and (impure := packages(name, node) & IMPURE):
            yield node.lineno, f"imports {', '.join(sorted(impure))} in a folder without async and sockets"
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert in package code; raise an exception"
        if isinstance(node, ast.arguments) and not name.startswith(SPEAKS_ASGI):
            words = [part for part in ast.walk(node) if isinstance(part, ast.arg) and part.arg in SERVER_WORDS]
            if len(words) == len(SERVER_WORDS):
                yield words[0].lineno, "parameters scope, receive and send outside nexios/_servers"


def every_docstring(known: Documented, name: str, tree: ast.Module, _root: Path) -> Iterator[Fault]:
    """Ask for a docstring on the module and every public class, function and (private packages aside) method."""
    if not ast.get_docstring(tree):
        yield 1, "the module has no docstring"
    yield from undocumented(tree, None if "/_" in name.removesuffix("/__init__.py") else known, set())


def undocumented(parent: ast.Module | ast.ClassDef, known: Documented | None, inherited: set[str]) -> Iterator[Fault]:
    """Yield public names without a docstring; overloads, setters and overrides of a documented name need none."""
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        marks = {ast.unparse(mark).split(".")[-1] for mark in node.decorator_list}
        if not (ast.get_docstring(node) or node.name in inherited or marks & {"overload", "setter", "deleter"}):
            yield node.lineno, f"{node.name} has no docstring"
        if isinstance(node, ast.ClassDef) and known is not None:
            bases = [ast.unparse(base).split("[")[0] for base in node.bases]
            yield from undocumented(node, known, {name for base in bases for name in known.get(base, ())})


def documented_methods(trees: Iterable[ast.Module]) -> Documented:
    """Return the documented methods of each class, by the name of the class."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {node.name: {part.name for part in functions(node) if ast.get_docstring(part)} for node in classes}


def tests_assert(_name: str, tree: ast.Module, _root: Path) -> Iterator[Fault]:
    """Ask every test for an assertion of its own."""
    for function in functions(tree):
        if function.name.startswith("test_") and not any(map(asserts, ast.walk(function))):
            yield function.lineno, f"{function.name} asserts nothing"


def asserts(node: ast.AST) -> bool:
    """Is this an assert, pytest.raises and its like, or a helper that asserts?"""
    called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Assert) or called.startswith(ASSERTING)


def functions(tree: ast.AST) -> Iterator[Function]:
    """Return every function below a node."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)))
