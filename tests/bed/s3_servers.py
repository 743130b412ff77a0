"""Two independent S3 servers for tests: MiniStack with real signatures and rights, and Swift."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.ministack_site import AccessKey, MiniStack, free_port
from bed.swift_node import KINDS, SwiftNode
from pgtend.kernel.sizes import Bytes
from pgtend.vault.model import Patience, S3Place
from pgtend.vault.parts import MIB, PartPlan
from pgtend.vault.s3 import S3Vault

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "copies"
LOCKED_BUCKET = "copies-locked"
SMALL_PARTS = PartPlan(((10_000, Bytes(5 * MIB)),))
"""The smallest parts that S3 allows."""
SHORT_PATIENCE = Patience(
    connect=timedelta(seconds=2),
    answer=timedelta(seconds=5),
    total=timedelta(seconds=20),
    attempts=4,
    first_pause=timedelta(milliseconds=20),
)
EVERYTHING = ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"},)
WRITE_ONLY = (
    {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    },
)


@dataclass(frozen=True, slots=True)
class S3Site:
    """A server, and somebody who may use it. Every test works under a prefix of its own."""

    endpoint: str
    key: AccessKey
    prefix: str
    bucket: str = BUCKET
    server: MiniStack | SwiftNode | None = None

    @property
    def place(self) -> S3Place:
        """How a vault finds it."""
        return S3Place(
            bucket=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            region="us-east-1",
            path_style=True,
            patience=SHORT_PATIENCE,
            parts=SMALL_PARTS,
        )

    def vault(self, place: S3Place | None = None) -> S3Vault:
        """Open a vault there."""
        return S3Vault(place or self.place, self.key.session())

    def through(self, endpoint: str) -> S3Site:
        """Reach the same server by another way."""
        return replace(self, endpoint=endpoint)

    def as_user(self, statements: Sequence[Mapping[str, object]]) -> S3Site:
        """Be somebody with other rights."""
        assert isinstance(self.server, MiniStack)
        return replace(self, key=self.server.add_user(f"user-{secrets.token_hex(4)}", statements))

    @contextmanager
    def raw(self) -> Generator[S3Client]:
        """Speak to the server without a vault, to arrange things or to look behind it."""
        client = self.key.session().client("s3", endpoint_url=self.endpoint)
        with closing(client):
            yield client


def open_ministack(folder: Path) -> S3Site:
    """Start a MiniStack with a user and two buckets, one with Object Lock."""
    server = MiniStack(folder, free_port(), dies_with_parent=True)
    server.start()
    site = S3Site(server.endpoint, server.add_user("tester", EVERYTHING), "t", server=server)
    with site.raw() as client:
        client.create_bucket(Bucket=BUCKET)
        client.create_bucket(Bucket=LOCKED_BUCKET, ObjectLockEnabledForBucket=True)
    return site


def open_swift(folder: Path) -> S3Site:
    """Start a Swift with a bucket."""
    node = SwiftNode(folder, {kind: free_port() for kind in KINDS})
    node.start()
    site = S3Site(node.endpoint, AccessKey("pgtend:writer", node.secret), "t", server=node)
    with site.raw() as client:
        client.create_bucket(Bucket=BUCKET)
    return site


@pytest.fixture(scope="session")
def ministack_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[S3Site]:
    """Keep one MiniStack for the session."""
    site = open_ministack(tmp_path_factory.mktemp("ministack"))
    yield site
    assert isinstance(site.server, MiniStack)
    site.server.kill()


@pytest.fixture(scope="session")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[S3Site]:
    """Keep one Swift for the session."""
    site = open_swift(tmp_path_factory.mktemp("swift"))
    yield site
    assert isinstance(site.server, SwiftNode)
    site.server.kill()


@pytest.fixture
def ministack(ministack_server: S3Site) -> S3Site:
    """Give a place of its own on MiniStack."""
    return replace(ministack_server, prefix=f"t-{secrets.token_hex(6)}")


@pytest.fixture
def swift(swift_server: S3Site) -> S3Site:
    """Give a place of its own on Swift."""
    return replace(swift_server, prefix=f"t-{secrets.token_hex(6)}")
