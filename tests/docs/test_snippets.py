"""Does every Python block of the README and of docs/ run as it stands?

The blocks of a page run from top to bottom in one namespace, as a reader would
paste them, in an empty directory; `await` may stand at the top level. Functions
named `test_*` without parameters are run at the end. A block with
`<!-- no-run: reason -->` on the line above is skipped, and counted with its reason.
"""

import ast
import asyncio
import inspect
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NO_RUN = "<!-- no-run:"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of Python; `line` is that of its first line of code, counted from 1."""

    line: int
    code: str
    not_run_because: str | None


def find_blocks(text: str) -> Iterator[Block]:
    """Yield the Python blocks of a page; a fence may be indented, as in a list or a tab."""
    lines = text.splitlines()
    start, fence, kind = 0, "", ""
    for number, line in enumerate(lines):
        words = line.strip()
        if not fence and words.startswith("```"):
            ticks = len(words) - len(words.lstrip("`"))
            start, fence, kind = number, "`" * ticks, words[ticks:].split(" ")[0]
        elif fence and words == fence:
            if kind in ("python", "py"):
                yield make_block(lines, start, number)
            fence = ""


def make_block(lines: list[str], start: int, stop: int) -> Block:
    """Cut a block out of the page and look for a reason not to run it."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    above = next((line.strip() for line in reversed(lines[:start]) if line.strip()), "")
    reason = above.removeprefix(NO_RUN).removesuffix("-->").strip() if above.startswith(NO_RUN) else None
    return Block(start + 2, "\n".join(line[indent:] for line in lines[start + 1 : stop]) + "\n", reason)


def compiled(block: Block, page: Path) -> CodeType:
    """Compile a block so that a traceback names the page and the line in it."""
    tree = compile(block.code, str(page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ast.increment_lineno(tree, block.line - 1)
    code: CodeType = compile(tree, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, optimize=0)
    return code


@pytest.fixture
def quiet() -> Iterator[None]:
    """A page may show how to see more of the log; the tests after it did not ask for that."""
    yield
    logging.getLogger("nexios").setLevel(logging.NOTSET)


def run_page(page: Path, blocks: list[Block], module: ModuleType) -> None:
    """Run the blocks, then the tests that they define, in one event loop."""
    with asyncio.Runner() as runner:
        for block in blocks:
            code = compiled(block, page)
            waiting = eval(code, module.__dict__)
            if inspect.iscoroutine(waiting):
                runner.run(waiting)
        for name, value in list(vars(module).items()):
            if name.startswith("test_") and inspect.isfunction(value) and not inspect.signature(value).parameters:
                waiting = value()
                if inspect.iscoroutine(waiting):
                    runner.run(waiting)


def page_name(page: Path) -> str:
    """Return the path of a page as people write it."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [block for block in find_blocks(page.read_text(encoding="utf-8")) if block.not_run_because is None]
    module = ModuleType("page_" + page.stem.replace("-", "_"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)

    run_page(page, blocks, module)

    assert module.__name__ in sys.modules


NOT_RUN = [
    pytest.param(block.not_run_because, id=f"{page_name(page)}:{block.line}")
    for page in PAGES
    for block in find_blocks(page.read_text(encoding="utf-8"))
    if block.not_run_because is not None
]


@pytest.mark.parametrize("reason", NOT_RUN)
def test_a_block_that_is_not_run_says_why(reason: str) -> None:
    assert reason
    pytest.skip(reason)


PAGE = """\
```python
x = 1
```

<!-- no-run: needs a server -->
```python
connect()
```

1. In a list:
   ```python
   if x:
       y = 2
   ```

```text
not python
```

````markdown
```python
shown, not run
```
````
"""


def test_blocks_are_found_with_line_indent_and_reason() -> None:
    assert list(find_blocks(PAGE)) == [
        Block(2, "x = 1\n", None),
        Block(7, "connect()\n", "needs a server"),
        Block(12, "if x:\n    y = 2\n", None),
    ]


def test_a_page_may_await_at_the_top_and_share_names_between_blocks(tmp_path: Path) -> None:
    module = ModuleType("page")
    blocks = [Block(1, "import asyncio\nx = await asyncio.sleep(0, 5)\n", None), Block(5, "y = x + 1\n", None)]

    run_page(tmp_path / "page.md", blocks, module)

    assert module.__dict__["y"] == 6


def test_the_tests_of_a_page_run_too(tmp_path: Path) -> None:
    block = Block(1, "async def test_it():\n    raise LookupError\n", None)

    with pytest.raises(LookupError):
        run_page(tmp_path / "page.md", [block], ModuleType("page"))


def test_a_failure_names_the_page_and_its_line(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(tmp_path / "page.md", [Block(41, "x = 1\nx / 0\n", None)], ModuleType("page"))

    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == (str(tmp_path / "page.md"), 42)
