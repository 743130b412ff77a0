"""A mistyped setting is never accepted: it is reported, with its line, whatever the letter."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleet_files import problems, write
from pgtend.fleet.load import load_fleet

FULL = """\
fleet: clinic
environment: staging
owner: data-team
timezone: Africa/Lagos
connections: anywhere
ledger:
  connection: reporting
vaults:
  main:
    s3:
      bucket: copies
      prefix: clinic
      connection: s3_main
      endpoint: https://s3.example.org:9000
      region: eu-west-1
      path_style: true
      encryption: aws:kms
      kms_key: alias/copies
      bucket_owner: "123456789012"
      checksum: crc32
      object_lock:
        mode: compliance
        keep: 30 days
  near:
    folder:
      path: /srv/vault
alerts:
  remind_every: 12 h
  channels:
    team:
      smtp:
        connection: mail
        to: [ada@example.org, ben@example.org]
        from: pgtend@example.org
    chat:
      apprise:
        connection: chat
        tag: oncall
databases:
  kgc:
    connection: kgc_direct
    owner: kgc-team
    vault: near
    limits:
      sessions: 2
      connect_timeout: 4 s
      statement_timeout: 20 min
      lock_timeout: 3 s
    window:
      start: 22:00
      end: 04:00
      timezone: UTC
    analyze:
      enabled: true
      window:
        end: 02:00
      schedule: 30 22 * * *
      time_budget: 2 h
      deadline: 4 h
      changed_fraction: 0.05
      changed_rows_floor: 100
      changed_rows_cap: 500000
      parent_changed_fraction: 0.1
      statistics_targets:
        public.health_metrics.user_id: 1000
      skip: [audit.*]
"""
CHOSEN = {"main", "near", "team", "chat", "kgc", "public.health_metrics.user_id"}
LINES = FULL.splitlines()
SETTINGS = [number for number, line in enumerate(LINES) if line.strip().partition(":")[0] not in CHOSEN]
LETTERS = string.ascii_letters + string.digits + "_"


@st.composite
def typos(draw: st.DrawFn) -> tuple[int, str]:
    """Change, drop, double or swap one letter of one setting."""
    number = draw(st.sampled_from(SETTINGS))
    key = LINES[number].strip().partition(":")[0]
    at, letter = draw(st.integers(0, len(key) - 1)), draw(st.sampled_from(LETTERS))
    variants = [key[:at] + letter + key[at + 1 :], key[:at] + letter + key[at:], key + letter, key[:at] + key[at + 1 :]]
    swapped = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
    mistyped = draw(st.sampled_from([variant for variant in [*variants, swapped] if variant not in {"", key}]))
    return number, LINES[number].replace(f"{key}:", f"{mistyped}:", 1)


@given(typos())
def test_every_typo_in_a_setting_is_reported_with_its_line(typo: tuple[int, str]) -> None:
    """No wrong letter in any setting goes unnoticed, and the message names the line it stands on."""
    number, line = typo
    with tempfile.TemporaryDirectory() as folder:
        said = problems(Path(folder), "\n".join([*LINES[:number], line, *LINES[number + 1 :]]) + "\n")
    assert [problem for problem in said if f"(line {number + 1}): unknown setting" in problem] != []


def test_the_file_without_a_typo_is_right(tmp_path: Path) -> None:
    """The property above would prove nothing if the file were wrong to begin with."""
    kgc = load_fleet(write(tmp_path, FULL)).databases["kgc"]
    assert kgc.analyze.targets() == (("public", "health_metrics", "user_id", 1000),)
    assert kgc.analyze.skips("audit", "log")
    assert not kgc.analyze.skips("public", "audit")
    assert str(kgc.analyze.window) == "22:00 to 02:00 UTC"
