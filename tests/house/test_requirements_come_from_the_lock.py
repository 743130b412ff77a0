"""requirements.txt, which the Dockerfile installs, says what uv.lock says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from bed.compose import PROJECT


def export_options() -> list[str]:
    """Read from the Makefile how `make lock` exports."""
    line = re.search(r"(?m)^EXPORT := (.*)$", (PROJECT / "Makefile").read_text())
    assert line is not None
    return line.group(1).split()


def exported(folder: Path) -> str:
    """Export the lock anew, without asking any registry."""
    target = folder / "requirements.txt"
    uv = str(PROJECT / ".venv" / "bin" / "uv")
    argv = (uv, "export", "--frozen", "--offline", *export_options(), "--output-file", str(target))
    subprocess.run(argv, check=True, cwd=PROJECT, capture_output=True)
    return target.read_text()


def test_requirements_are_what_the_lock_exports(tmp_path: Path) -> None:
    """Whoever changes the lock runs `make lock`, or this fails."""
    assert (PROJECT / "requirements.txt").read_text() == exported(tmp_path)


def test_every_requirement_has_a_hash_and_no_registry() -> None:
    """Pip refuses a package that differs from the locked one, and which registry it asks is the builder's choice."""
    text = (PROJECT / "requirements.txt").read_text()
    requirements = text.replace("\\\n", " ").splitlines()
    assert [line for line in requirements if "--hash=sha256:" not in line] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == []
