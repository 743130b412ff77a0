"""The Python environment: .venv with exactly what uv.lock names, and a stamp that makes the second time free."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packages import install
from say import give_up, run, step

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".matches-the-lock"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)


def make_environment() -> None:
    """Bring .venv in line with uv.lock."""
    check_python()
    digest = lock_digest()
    if STAMP.exists() and STAMP.read_text() == digest and environment_works():
        return
    if not environment_works():
        with step("creating .venv"):
            create_venv()
    with step("installing what uv.lock names into .venv"):
        install_uv()
        sync()
    STAMP.write_text(digest)


def check_python() -> None:
    """Refuse a Python that Airflow 3.3 and we do not run on."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        give_up(
            f"Python {sys.version_info.major}.{sys.version_info.minor} is not between 3.11 and 3.13",
            "Name another one: make PYTHON=python3.11 demo",
        )


def lock_digest() -> str:
    """Name the state that .venv must have: the lock, the project file and the Python that runs it."""
    parts = ((ROOT / "uv.lock").read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def environment_works() -> bool:
    """Tell whether .venv has a Python that starts: a copied or half-made one has not."""
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.run((python, "-c", ""), check=False, capture_output=True).returncode == 0


def create_venv() -> None:
    """Make .venv; Debian splits what that needs into a package of its own."""
    if VENV.exists():
        shutil.rmtree(VENV)
    argv = (sys.executable, "-m", "venv", str(VENV))
    if subprocess.run(argv, check=False, capture_output=True).returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        install(["python3-venv"])
        run(argv)


def locked_uv() -> str:
    """Read from the lock which uv made it."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return next(package["version"] for package in lock["package"] if package["name"] == "uv")


def install_uv() -> None:
    """Put the locked uv into .venv, unless it is there."""
    version = locked_uv()
    if any(VENV.glob(f"lib/python3*/site-packages/uv-{version}.dist-info")) and (VENV / "bin" / "uv").exists():
        return
    run((str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", f"uv=={version}"))


def sync() -> None:
    """Install what the lock names, compiled: the first start of Airflow is four times as fast with it."""
    argv = ("sync", "--locked", "--extra", "airflow", "--all-groups", "--compile-bytecode", "--no-progress")
    # A uv that an activated shell tells of another environment would fill that one.
    elsewhere = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}
    env = {name: value for name, value in os.environ.items() if name not in elsewhere}
    run((str(VENV / "bin" / "uv"), *argv, "--project", str(ROOT)), env={**env, "UV_PYTHON_DOWNLOADS": "never"})
