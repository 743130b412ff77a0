"""Write the secret files that docker-compose.yaml names: passwords and keys invented here, and a certificate.

    python3 include/pgtend_airflow/compose/make_secrets.py [FOLDER]      (make secrets)

A file that exists stays as it is, so that running it again is harmless. Needs Python's standard library and openssl.
"""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
from pathlib import Path

OPAQUE = (
    "admin_password",
    "api_secret_key",
    "jwt_secret",
    "ledger_owner_password",
    "ledger_password",
    "metadata_password",
    "redis_password",
)
CONNECTIONS = """\
# Airflow connections, read by every Airflow service. One block for each database of fleet.yaml:
#
# kgc:
#   conn_type: postgres
#   host: kgc-db.example.org
#   port: 5432
#   schema: kgc
#   login: pgtend
#   password: ...

pgtend_ledger:
  conn_type: postgres
  host: ledger
  port: 5432
  schema: pgtend_ledger
  login: pgtend
  password: {password}
  extra_dejson:
    sslmode: verify-full
    sslrootcert: /run/secrets/ledger_ca.pem
"""
SERVICE = """\
[pgtend_ledger]
host=ledger
port=5432
dbname=pgtend_ledger
user=pgtend_ledger_owner
password={password}
sslmode=verify-full
sslrootcert=/run/secrets/ledger_ca.pem
"""


def make_secrets(folder: Path) -> list[str]:
    """Write what is missing and name it."""
    # The folder keeps others out. The files are readable, because a container's user is not the user who made them.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    texts = {name: secrets.token_urlsafe(32) for name in OPAQUE}
    texts["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    written = [name for name, text in texts.items() if write(folder / name, text)]
    password = (folder / "ledger_password").read_text()
    owner_password = (folder / "ledger_owner_password").read_text()
    rest = {
        "connections.yaml": CONNECTIONS.format(password=password),
        "ledger_owner_service.conf": SERVICE.format(password=owner_password),
    }
    written += [name for name, text in rest.items() if write(folder / name, text)]
    return [*written, *make_certificate(folder), *make_signing_key(folder)]


def write(path: Path, text: str) -> bool:
    """Write a file unless it is there; tell whether it was written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    path.chmod(0o644)
    return True


def make_certificate(folder: Path) -> list[str]:
    """Make the ledger's certificate and the authority that signed it, whose key is thrown away."""
    if (folder / "ledger.pem").exists():
        return []
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority, key = folder / "ledger_ca.pem", folder / "ledger_ca.key"
    request = ("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=pgtend ledger authority")
    openssl(*request, "-keyout", str(key), "-out", str(authority))
    signed = ("-CA", str(authority), "-CAkey", str(key), "-addext", "subjectAltName=DNS:ledger")
    plain = ("-addext", "basicConstraints=critical,CA:FALSE")
    request = ("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=ledger", *signed, *plain)
    openssl(*request, "-keyout", str(folder / "ledger.key"), "-out", str(folder / "ledger.pem"))
    key.unlink()
    for name in ("ledger.key", "ledger.pem", "ledger_ca.pem"):
        (folder / name).chmod(0o644)
    return ["ledger.key", "ledger.pem", "ledger_ca.pem"]


def make_signing_key(folder: Path) -> list[str]:
    """Make the key that receipts of drills are signed with."""
    key = folder / "receipts.key"
    if key.exists():
        return []
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(key))
    key.chmod(0o644)
    return ["receipts.key"]


def openssl(*words: str) -> None:
    """Run openssl, and stop with what it said when it fails."""
    argv = ("openssl", *words)
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"openssl {words[0]} failed: {result.stderr.strip()}")


def main() -> None:
    """Write the files and say what there is to do."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "secrets")
    written = make_secrets(folder)
    print(f"{folder}/: {', '.join(written) if written else 'nothing was missing'}")
    print(f"Add your databases to {folder}/connections.yaml. The first login is admin; its password is in")
    print(f"{folder}/admin_password. Keep {folder}/fernet_key: without it nobody reads what Airflow stores encrypted.")


if __name__ == "__main__":
    main()
