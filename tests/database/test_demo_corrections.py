"""What the teams' guides wrote and a modern server refuses is not in the demo's SQL."""

from __future__ import annotations

import re

import psycopg
import pytest

from bed.clusters import LiveDatabase
from demo.databases.roster import HERE

TABLES = """
CREATE TABLE chat_memory (user_id integer, importance real, expires_at timestamp, context json);
CREATE TABLE users (navigation_progress text, score text);
"""
# Snippet of a guide, the SQLSTATE that PostgreSQL 15 and 18 answer, and how to recognise it.
REFUSED = {
    "a partial index that asks for the clock": (
        "CREATE INDEX ON chat_memory (user_id, importance) WHERE expires_at IS NULL OR expires_at > NOW()",
        "42P17",
        r"CREATE (UNIQUE )?INDEX[^;]*WHERE[^;]*\bnow\(\)",
    ),
    "GIN on a piece of json as text": (
        "CREATE INDEX ON chat_memory USING gin ((context->>'relatedTopics'))",
        "42704",
        r"USING gin[^;]*->>",
    ),
    "GIN on json": (
        "CREATE INDEX ON chat_memory USING gin (context)",
        "42704",
        r"USING gin \((context|client|metadata)\)",
    ),
    "a setting that ends in a reserved word": ("SET app.current_role TO 'patient'", "42601", r"app\.current_role"),
    "a setting that must have been set": (
        "SELECT current_setting('app.user_id')::integer",
        "42704",
        r"current_setting\('app\.\w+'\)",
    ),
    "json_valid, which is not ours": (
        "ALTER TABLE users ADD CHECK (json_valid(navigation_progress))",
        "42883",
        r"json_valid\(",
    ),
    "a key asked of a text": (
        "SELECT FROM users WHERE navigation_progress ? 'step-3-2'",
        "42883",
        r"navigation_progress text\b",
    ),
    "text that is to become a number by itself": (
        "ALTER TABLE users ALTER COLUMN score TYPE numeric(5,2)",
        "42804",
        r"ALTER COLUMN \w+ TYPE",
    ),
    "FILTER BY": (
        "SELECT count(*) FILTER BY state = 'active' FROM pg_stat_activity",
        "42601",
        r"FILTER BY",
    ),
    "ANALYZE WITH": ("ANALYZE users WITH (statistics_target = 1000)", "42601", r"ANALYZE \w+ WITH"),
    "a count that is returned": (
        "DELETE FROM chat_memory RETURNING count(*)",
        "42803",
        r"RETURNING count\(",
    ),
}


def demo_sql() -> str:
    """Put together all the SQL of the demo, without what comments say about the guides."""
    files = sorted(HERE.rglob("*.sql"))
    assert len(files) == 18, "five schemas, five seeds, five days of traffic, a mishap, the inventions and the grants"
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r"--.*", "", text)


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_snippet_of_a_guide_is_refused_by_the_server(database: LiveDatabase, what: str) -> None:
    """Each correction is one: the snippet, run as it was written, fails on both ends of the range."""
    snippet, sqlstate, _ = REFUSED[what]
    with psycopg.connect(database.superuser.conninfo) as connection:
        connection.execute(TABLES.encode())
        with pytest.raises(psycopg.Error) as refusal:
            connection.execute(snippet.encode())
    assert refusal.value.sqlstate == sqlstate


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_snippet_of_a_guide_is_not_repeated(what: str) -> None:
    """The demo's SQL holds none of them; where a snippet is wrong by its context, the context is searched for."""
    _, _, pattern = REFUSED[what]
    assert re.findall(pattern, demo_sql(), re.IGNORECASE) == []


@pytest.mark.parametrize("what", [what for what in REFUSED if what != "a key asked of a text"])
def test_the_search_for_a_wrong_snippet_finds_it(what: str) -> None:
    """A search that finds nothing anywhere would prove nothing."""
    snippet, _, pattern = REFUSED[what]
    assert re.search(pattern, snippet, re.IGNORECASE)
