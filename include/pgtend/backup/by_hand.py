"""The words in a manifest by which a person restores it with stock tools and nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence

from pgtend.backup.record import Encryption, Part, Role, Source

_RESTORE = "pg_restore --exit-on-error -d restored"
_ORDER = (Role.PRE_DATA, Role.TABLE, Role.REST, Role.POST_DATA)


def how_to_restore(source: Source, encryption: Encryption, parts: Sequence[Part]) -> str:
    """Write the commands one below the other, in the order in which they must run."""
    major = source.major
    opened = "age -d -i KEY.txt {name} | zstd -d" if encryption.is_sealed else "zstd -d < {name}"
    lines = [
        f"# Needs: age, zstd, and createdb and pg_restore of PostgreSQL {major} or later; psql for missing roles.",
        "# First copy this whole folder to where you are, then run in it:",
        *(f"echo '{part.stored_sha256}  {part.name}' | sha256sum -c" for part in parts),
        *(
            f"{opened.format(name=part.name)} | psql -d postgres   # roles; those that exist already only complain"
            for part in parts
            if part.role is Role.GLOBALS
        ),
        f"createdb -T template0 -E {source.encoding} {_locale(source)}restored",
        *(f"{opened.format(name=part.name)} | {_RESTORE}" for role in _ORDER for part in parts if part.role is role),
    ]
    return "\n".join(lines)


def _locale(source: Source) -> str:
    provider = "" if source.locale_provider == "libc" else f"--locale-provider={source.locale_provider} "
    name = {"icu": f"--icu-locale='{source.locale}' ", "builtin": f"--builtin-locale='{source.locale}' "}
    own = name.get(source.locale_provider, "")
    return f"--lc-collate='{source.collation}' --lc-ctype='{source.ctype}' {provider}{own}"
