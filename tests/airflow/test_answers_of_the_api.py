"""What the API answers: the fleet judged, lists in pages, alerts acknowledged, and problems that say what to do."""

from __future__ import annotations

import pytest

from bed.face import FLEET, Face
from bed.ledgers import ask
from pgtend_airflow.web.books import BOOKS
from pgtend_airflow.web.pace import Pace

BROKE = """
    SELECT reporting.alert_broke('pgtend/production/{0}/backup', '{0}', 'backup', 'page', '{1}',
        'no server answers', 'See docs/runbooks/database-unreachable.md.', '', now() + interval '{2}', '1 day')
"""
RUN = """
    INSERT INTO reporting.run (run_id, database, pipeline, actor, started_at, ended_at, outcome, error_message)
    SELECT to_char(at, 'YYYYMMDD"T"HH24MISS"Z"') || '-00000000', '{0}', '{1}', 'shell:ada', at, at, '{2}', '{3}'
    FROM (SELECT now() - interval '{4}' AS at) AS moment
"""


def test_the_fleet_is_judged_worst_first(face: Face) -> None:
    """A failed backup above everything; then the database of which least is known, and doubt is never green."""
    face.write_fleet(FLEET + "  ward: {}\n")
    face.run(
        RUN.format("kgc", "backup", "succeeded", "", "2 hours"),
        RUN.format("lab", "backup", "failed", "the disk is full", "1 hour"),
    )
    told = face.get("/fleet").json()
    assert [(row["database"], row["light"]) for row in told["rows"]] == [
        ("lab", "bad"),
        ("ward", "unknown"),
        ("kgc", "unknown"),
    ]
    assert told["says"] == "lab needs somebody now."
    work = told["rows"][0]["cells"]["work"]
    assert (work["says"], work["why"]) == ("backup failed", "Backup failed 1 h ago. The disk is full.")


def test_a_database_with_a_mistake_in_the_fleet_file_is_missed(face: Face) -> None:
    """It has no row, as nobody knows its rules, and the answer for the fleet is in doubt as long as that is so."""
    face.write_fleet(FLEET.replace("lab: {owner: lab-team}", "lab: {oner: lab-team}"))
    told = face.get("/fleet").json()
    assert [row["database"] for row in told["rows"]] == ["kgc"]
    assert told["light"] == "unknown"
    assert "The fleet file has 1 problem, and what is wrong there is tended by nobody and not shown" in told["says"]


def test_what_is_wrong_with_the_fleet_as_a_whole_counts(face: Face) -> None:
    """An audit that somebody changed is in the row of no database, and still nobody may read that all is well."""
    face.run(BROKE.format("fleet", "ledger.chain_broken", "0"))
    told = face.get("/fleet").json()
    assert told["light"] == "bad"
    assert told["says"].startswith("The fleet as a whole needs somebody now: no server answers. ")
    number = face.get("/alerts?database=fleet").json()["items"][0]["alert_id"]
    assert face.post(f"/databases/fleet/alerts/{number}/acknowledge", {"hours": 2}).status_code == 200
    told = face.get("/fleet").json()
    assert told["light"] == "unknown"
    assert told["says"].endswith("Somebody looks at the fleet as a whole: no server answers.")


def test_work_that_was_refused_before_it_began_is_red(face: Face) -> None:
    """On the page of the fleet and on that of the database, although the newest run in the ledger ended well."""
    face.run(RUN.format("kgc", "backup", "succeeded", "", "2 hours"))
    face.run(BROKE.format("kgc", "planner.rights_missing", "0"))
    (row,) = (row for row in face.get("/fleet").json()["rows"] if row["database"] == "kgc")
    assert (row["cells"]["work"]["light"], row["cells"]["work"]["says"]) == ("bad", "backup failed")
    (backup,) = face.get("/databases/kgc").json()["pipelines"]
    assert (backup["outcome"], backup["error_code"]) == ("failed", "planner.rights_missing")
    assert backup["hint"] == "See docs/runbooks/database-unreachable.md."


def test_a_list_comes_in_pages_that_join_without_a_gap(face: Face) -> None:
    """Each page says where the next one begins; the last says nothing."""
    for hours in range(1, 6):
        face.run(RUN.format("kgc", "backup", "succeeded", "", f"{hours} hours"))
    first = face.get("/runs?most=2").json()
    second = face.get(f"/runs?most=2&before={first['next']}").json()
    third = face.get(f"/runs?most=2&before={second['next']}").json()
    ids = [run["run_id"] for page in (first, second, third) for run in page["items"]]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert third["next"] == ""


def test_an_acknowledged_alert_is_yellow_and_in_the_audit(face: Face) -> None:
    """Who did it and for how long is seen by all; the note stays out of what is kept for ever."""
    face.run(BROKE.format("kgc", "postgres.unreachable", "0"))
    number = face.get("/alerts").json()["items"][0]["alert_id"]
    assert face.get("/fleet").json()["rows"][0]["cells"]["alerts"]["light"] == "bad"
    done = face.post(f"/databases/kgc/alerts/{number}/acknowledge", {"hours": 2, "note": "the disk is on its way"})
    assert done.json() == {"key": "pgtend/production/kgc/backup"}
    alert = face.get("/alerts").json()["items"][0]
    assert (alert["acknowledged_by"], alert["note"]) == ("airflow:operator", "the disk is on its way")
    assert face.get("/fleet").json()["rows"][0]["cells"]["alerts"]["light"] == "watch"
    entry = face.get("/audit?most=1", "admin").json()["items"][0]
    assert (entry["actor"], entry["action"], entry["target"]) == (
        "airflow:operator",
        "alert.acknowledged",
        "kgc/backup",
    )
    assert "disk" not in entry["detail"]


def test_an_alert_is_acknowledged_under_its_own_database_only(face: Face) -> None:
    """Otherwise a right on one database would reach the alerts of all."""
    face.run(BROKE.format("kgc", "postgres.unreachable", "0"))
    number = face.get("/alerts").json()["items"][0]["alert_id"]
    assert face.post(f"/databases/lab/alerts/{number}/acknowledge", {}).status_code == 404
    assert face.get("/alerts").json()["items"][0]["acknowledged_by"] == ""


def test_an_acknowledgement_pauses_reminders_until_its_end_or_another_trouble(face: Face) -> None:
    """Nothing is silent for ever, and news is never silent."""
    remind = "SELECT count(*) FROM reporting.alert_claim_reminders(now() + interval '{0}', '1 day')"
    face.run(BROKE.format("kgc", "postgres.unreachable", "0"))
    number = face.get("/alerts").json()["items"][0]["alert_id"]
    face.post(f"/databases/kgc/alerts/{number}/acknowledge", {"hours": 48})
    with face.reporting.session() as session:
        assert ask(session, remind.format("30 hours")) == [0]
        assert ask(session, BROKE.format("kgc", "postgres.unreachable", "31 hours")) == ["silent"]
        assert ask(session, BROKE.format("kgc", "backup.damaged", "32 hours")) == ["send reminder"]
        assert ask(session, BROKE.format("kgc", "backup.damaged", "33 hours")) == ["silent"]
        assert ask(session, remind.format("57 hours")) == [1]


def test_a_recovered_alert_cannot_be_acknowledged(face: Face) -> None:
    """There is nothing to look at any longer."""
    face.run(
        BROKE.format("kgc", "postgres.unreachable", "0"),
        "SELECT reporting.alert_recovered('pgtend/production/kgc/backup', now())",
    )
    number = face.get("/alerts?open=false").json()["items"][0]["alert_id"]
    assert face.post(f"/databases/kgc/alerts/{number}/acknowledge", {}).status_code == 404


def test_a_problem_says_what_happened_and_what_to_do(face: Face) -> None:
    """As problem+json with a stable code; a value that is not understood is never repeated."""
    answer = face.get("/runs?most=0&pipeline=DROP%20TABLE")
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (422, 422, "web.bad_value")
    assert "query.most: Input should be greater than or equal to 1" in told["detail"]
    assert "DROP" not in answer.text


def test_without_a_ledger_the_pages_say_what_to_set_up(face: Face) -> None:
    """A fleet file that names none is not a mistake of the API."""
    face.write_fleet(FLEET.replace("ledger: {connection: ledger}\n", ""))
    answer = face.get("/fleet")
    assert (answer.status_code, answer.json()["code"]) == (503, "web.no_ledger")
    assert "pgtend ledger migrate" in answer.json()["hint"]


def test_a_ledger_that_does_not_answer_is_an_outage(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told to come back, and why."""
    BOOKS.close()
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", "postgres://nobody@127.0.0.1:1/nowhere")
    answer = face.get("/fleet")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
        503,
        "ledger.unreachable",
        "10",
    )


def test_a_session_that_the_server_ended_is_replaced_unseen(face: Face) -> None:
    """A restart of the ledger costs nobody an answer."""
    assert face.get("/runs").status_code == 200
    face.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pgtend:web'")
    assert face.get("/runs").status_code == 200


def test_answers_share_a_session(face: Face) -> None:
    """Connecting costs more than most answers."""
    for _ in range(5):
        assert face.get("/runs").status_code == 200
    with face.reporting.session() as session:
        count = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgtend:web' AND datname = current_catalog"
        )
        assert ask(session, count) == [1]


def test_who_asks_without_a_pause_is_slowed_down() -> None:
    """A bucket holds so many questions, fills up steadily, and is each caller's own."""
    pace = Pace(burst=3, each_second=1)
    assert [pace.take("ada", 0) for _ in range(4)] == [True, True, True, False]
    assert pace.take("eve", 0)
    assert not pace.take("ada", 0.5)
    assert pace.take("ada", 2)


def test_the_files_of_the_pages_come_with_their_kind_and_only_they(face: Face) -> None:
    """The browser keeps its copy as long as it is the same; a name that is a path leads nowhere."""
    script = face.client.get("/static/page.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    again = face.client.get("/static/page.js", headers={"If-None-Match": script.headers["ETag"]})
    assert again.status_code == 304
    for wrong in ("nothing.js", "..%2Fapp.py", "app.py"):
        assert face.client.get(f"/static/{wrong}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/databases/fleet",
        "/database/performance/trends/reachable?database=fleet",
        "/database/analysis/overview?database=fleet",
    ],
)
def test_the_fleet_is_no_database(face: Face, path: str) -> None:
    """Its alerts go by that name, and it has nothing else that a database has."""
    answer = face.get(path, "admin")
    assert (answer.status_code, answer.json()["code"]) == (404, "web.not_found"), answer.text
