"""Which exact packages does each task install?

Writes `requirements/*.txt` from pyproject.toml: names, versions and hashes for
every platform, and nothing else (no registry host, no path, no comment).
Run it after a change to the dependencies:

    .venv/bin/python scripts/pin.py [NAME ...]
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SERVERS = ["pyproject.toml", "--extra=standard", "--extra=granian", "--extra=hypercorn", "--extra=uvloop"]
ENGINES = ["--extra=redis", "--extra=nats", "--extra=postgres"]
MODELS = ["--extra=pydantic", "--extra=attrs"]
SECURITY = ["--extra=passwords", "--extra=jwt", "--extra=oauth", "--extra=limits"]
TEST = [*SERVERS, *ENGINES, *MODELS, *SECURITY, "--extra=testing", "--group=test"]

# Name of the file -> arguments that say what goes in. The first sets share versions, as all but fuzz share .venv.
SHARED = {
    "build": ["--group=build"],
    "run": [*SERVERS, "--extra=redis"],
    "test": TEST,
    "check": [*TEST, "--group=lint"],
    "browser": [*TEST, "--group=browser"],
    "docs": ["--group=docs"],
    "fuzz": ["pyproject.toml", "--extra=jwt", "--extra=testing", "--group=fuzz"],
}
ALONE = {"uv": ["-"], "bench": [*SERVERS, *ENGINES, "--extra=testing", "--group=bench"], "bench-published": ["-"]}
STDIN = {"uv": "uv", "bench-published": "nexios==3.12.3\nmsgspec\nuvloop; sys_platform != 'win32'"}

PIN = re.compile(r"[A-Za-z0-9_.\-]+(\[[a-z0-9,\-]+\])?==[^\s/]+( ; [^/\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def main(names: list[str]) -> int:
    """Compile the named sets, or all of them."""
    with tempfile.TemporaryDirectory() as folder:
        versions = Path(folder, "versions.txt")
        versions.write_text(compile_set([*SHARED["check"], "--group=browser", "--group=build", "--group=docs"]))
        for name in names or [*SHARED, *ALONE]:
            together = [*SHARED[name], f"--constraint={versions}"] if name in SHARED else ALONE[name]
            text = compile_set(together, STDIN.get(name, ""))
            unsafe = [line for line in text.splitlines() if not (PIN.fullmatch(line) or HASH.fullmatch(line))]
            if unsafe:
                print(f"requirements/{name}.txt is not written; these lines are more than a pin:", *unsafe, sep="\n")
                return 1
            (ROOT / "requirements" / f"{name}.txt").write_text(text)
            print(f"requirements/{name}.txt: {text.count('==')} packages")
    return 0


def compile_set(wanted: list[str], given: str = "") -> str:
    """Return the pins for one set."""
    options = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *wanted, *options, "--python-version=3.11", "--quiet"]
    return subprocess.run(command, cwd=ROOT, input=given, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
