"""The dev command: what it says before it installs anything."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def load_dev() -> ModuleType:
    """Import the dev file, which has no suffix; nothing of it runs."""
    loader = importlib.machinery.SourceFileLoader("dev_command", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev_command", loader)
    if spec is None:
        pytest.fail("the dev file is missing")
    module = importlib.util.module_from_spec(spec)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = written
    return module


dev = load_dev()


def run_dev(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python3 dev` as a user does."""
    command = [sys.executable, str(ROOT / "dev"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env={**os.environ, **environment})


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_names_every_task(word: str) -> None:
    answer = run_dev(word)

    assert answer.returncode == 0
    assert re.findall(r"python3 dev (\w+)", answer.stdout) == ["demo", "test", "check", "bench", "fuzz", "docs"]


def test_no_task_is_a_mistake_that_shows_the_help() -> None:
    answer = run_dev()

    assert answer.returncode == 2
    assert "python3 dev demo" in answer.stdout


def test_an_unknown_task_is_named_with_the_known_ones() -> None:
    answer = run_dev("tset")

    assert answer.returncode == 2
    assert answer.stderr == "dev: there is no task 'tset'; there are: demo, test, check, bench, fuzz, docs\n"


def test_an_unknown_bar_is_named_before_anything_is_installed() -> None:
    answer = run_dev("check", "typos")

    assert answer.returncode == 2
    assert answer.stderr.startswith("dev: no bar 'typos'; there are: 'format', 'lint', 'types'")


def test_a_python_that_is_too_old_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit) as caught:
        dev.use_a_newer_python()

    assert str(caught.value).startswith("dev: nexios needs Python 3.11 or newer; this is ")


def test_a_newer_python_on_the_path_takes_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[list[str]] = []
    (tmp_path / "python3.11").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["dev", "test", "-x"])

    def become(command: list[str]) -> int:
        started.append(command)
        return 7

    monkeypatch.setattr(dev, "become", become)

    with pytest.raises(SystemExit) as caught:
        dev.use_a_newer_python()

    assert caught.value.code == 7
    assert started == [[str(tmp_path / "python3.11"), str(ROOT / "dev"), "test", "-x"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-k", "shape"], ["-n", "2"]),
        (["tests/http"], ["-n", "2"]),
        (["-n0", "tests/http"], []),
        (["-n", "4"], []),
        (["--pdb"], []),
        (["--collect-only"], []),
    ],
)
def test_tests_run_in_two_processes_unless_told_otherwise(arguments: list[str], expected: list[str]) -> None:
    assert dev.shared_out(arguments) == expected


def test_the_dev_file_uses_the_standard_library_only() -> None:
    imported = re.findall(r"^(?:from|import) (\w+)", (ROOT / "dev").read_text(), re.MULTILINE)

    assert set(imported) <= sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_requirements_hold_names_versions_and_hashes_only(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert [line for line in lines if "://" in line or line.startswith(("#", "-", "/"))] == []
    assert sum("==" in line for line in lines) <= sum("--hash=sha256:" in line for line in lines)


def test_an_installed_set_is_not_installed_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(dev.subprocess, "run", lambda command, **_: commands.append(command))
    pins = tmp_path / "test.txt"
    pins.write_text("click==8.5.1\n")

    for text in ("click==8.5.1\n", "click==8.5.1\n", "click==8.5.2\n"):
        pins.write_text(text)
        dev.stamped(tmp_path, "test", (pins,), ["--require-hashes", "-r"])

    assert [command[-3:] for command in commands] == [["--require-hashes", "-r", str(pins)]] * 2
