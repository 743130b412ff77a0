"""Certificates of an authority that nobody knows, made on the spot."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """A server's certificate and key, and the authority that signed it."""

    authority: Path
    certificate: bytes
    key: bytes


def make_certificates(folder: Path, host: str) -> Certificates:
    """Found an authority and have it sign a certificate for one host."""
    authority, key = folder / "authority.crt", folder / "authority.key"
    _openssl("req", "-x509", *_new_key(key), "-days", "2", "-subj", "/CN=test authority", "-out", str(authority))
    server_key, request, server = folder / "server.key", folder / "server.csr", folder / "server.crt"
    _openssl("req", *_new_key(server_key), "-subj", f"/CN={host}", "-out", str(request))
    names = folder / "names"
    names.write_text(f"subjectAltName=DNS:{host}", encoding="utf-8")
    signed_by = ("-CA", str(authority), "-CAkey", str(key), "-CAcreateserial", "-extfile", str(names))
    _openssl("x509", "-req", "-in", str(request), *signed_by, "-days", "2", "-out", str(server))
    return Certificates(authority, server.read_bytes(), server_key.read_bytes())


def _new_key(path: Path) -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path))


def _openssl(*arguments: str) -> None:
    subprocess.run(("/usr/bin/openssl", *arguments), check=True, capture_output=True)
