"""The vaults that every test of the contract is run against."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.s3_servers import S3Site, ministack, ministack_server, swift, swift_server
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Vault

__all__ = ["ministack", "ministack_server", "swift", "swift_server"]


def open_one(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    """Open a vault of a kind, empty."""
    if kind == "folder":
        return FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    site: S3Site = request.getfixturevalue(kind)
    return site.vault()


@pytest.fixture(params=["folder", "ministack", "swift"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Vault]:
    """Give an empty vault of each kind."""
    with open_one(request.param, request, tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> FolderVault:
    """Give an empty folder vault."""
    return FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
