"""Two S3 sites on this machine, each with its own disk, users and signatures: the vault's main home and its far twin.

The server (MiniStack) writes objects at once but buckets and users only when it is stopped politely. So every start
looks at what is there and repairs it; a user that had to be made anew has a new key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

from demo.runtime.places import ROOT, Places
from demo.runtime.ports import Ports
from demo.runtime.processes import Service, start, wait_until
from demo.runtime.secret_words import SecretWords

READ = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectAttributes", "s3:GetObjectRetention"]
LOOK = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
LOCK = ["s3:GetBucketObjectLockConfiguration", "s3:GetObjectLegalHold", "s3:ListBucketMultipartUploads"]
WRITE = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectRetention", "s3:AbortMultipartUpload"]
PARTS = ["s3:ListMultipartUploadParts", "s3:DeleteObject"]
# Who writes backups may hide an object, as the name of a failed try is hidden, but remove nothing for good.
REMOVE = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"]
USERS = {
    "writer": [*READ, *LOOK, *LOCK, *WRITE, *PARTS],
    "reader": [*READ, *LOOK, *LOCK],
    "keeper": [*READ, *LOOK, *LOCK, *REMOVE],
}


@dataclass(frozen=True)
class Site:
    """One S3 server."""

    name: str
    region: str
    bucket: str
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> str:
        """What its process is called."""
        return f"s3-{self.name}"


def sites(ports: Ports) -> tuple[Site, Site]:
    """Name both sites."""
    return (
        Site("main", "eu-central-1", "pgtend-main", ports.s3_main),
        Site("offsite", "eu-west-1", "pgtend-offsite", ports.s3_offsite),
    )


def service(places: Places, site: Site) -> Service:
    """Describe a site as a process: bodies and state on disk, signatures checked."""
    folder = places.state / "s3" / site.name
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        # It keeps a note of its process there, which stays when it is killed.
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(site.port),
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "root",
        "AWS_SECRET_ACCESS_KEY": "unchecked",
        "AWS_DEFAULT_REGION": site.region,
        "MINISTACK_REGION": site.region,
        "SERVICES": "s3,iam,sts",
        # Otherwise it listens on port 8883 of every address of this machine.
        "IOT_MTLS_ENABLED": "false",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "data"),
        "STATE_DIR": str(folder / "state"),
    }
    return Service(site.process, (str(ROOT / ".venv/bin/ministack"),), env)


def start_site(places: Places, site: Site, words: SecretWords) -> None:
    """Start a site and bring its bucket and users in order."""
    for folder in ("data", "state"):
        (places.state / "s3" / site.name / folder).mkdir(parents=True, exist_ok=True)
    start(places, service(places, site))
    wait_until(places, site.process, lambda: answers(site), timedelta(seconds=30))
    ensure_bucket(site)
    for user in USERS:
        ensure_user(site, user, words)


def answers(site: Site) -> bool:
    """Tell whether a site is up."""
    try:
        return httpx.get(f"{site.url}/_ministack/health", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def client(site: Site, kind: str, key: str = "root", secret: str = "unchecked"):  # noqa: ANN201, S107 - boto3 makes the type at run time; the root key is not checked
    """Talk to a site, as its root unless told otherwise."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=site.region)
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, proxies={})
    return session.client(kind, endpoint_url=site.url, config=config)


def ensure_bucket(site: Site) -> None:
    """Create the bucket; Object Lock can only be had from the first day, and brings versions with it."""
    s3 = client(site, "s3")
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    if site.bucket not in names:
        where = {"LocationConstraint": site.region}
        s3.create_bucket(Bucket=site.bucket, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where)
    if s3.get_bucket_versioning(Bucket=site.bucket).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=site.bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        s3.get_object_lock_configuration(Bucket=site.bucket)
    except ClientError:
        s3.put_object_lock_configuration(Bucket=site.bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})


def ensure_user(site: Site, user: str, words: SecretWords) -> None:
    """Create a user with its rights, and a key that works."""
    iam = client(site, "iam")
    try:
        iam.get_user(UserName=user)
    except ClientError:
        iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="vault", PolicyDocument=json.dumps(policy(site, USERS[user])))
    name = f"s3_{site.name}_{user}"
    known = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}
    if words.get(f"{name}_key") not in known:
        key = iam.create_access_key(UserName=user)["AccessKey"]
        words.keep(**{f"{name}_key": key["AccessKeyId"], f"{name}_secret": key["SecretAccessKey"]})


def policy(site: Site, actions: list[str]) -> dict[str, object]:
    """Write what a user may do, in AWS's words."""
    places = [f"arn:aws:s3:::{site.bucket}", f"arn:aws:s3:::{site.bucket}/*"]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": places}]}
