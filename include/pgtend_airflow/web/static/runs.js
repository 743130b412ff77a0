// What was done: the picture of the last days, how each pipeline stands, and every run.
import { useAnswer, useList } from "./api.js";
import { Timeline } from "./charts.js";
import { Hint, insideAirflow, Moment, Outcome, To } from "./look.js";
import { Answer, Choice, List, ListOf, Section } from "./parts.js";
import { sentence, span } from "./words.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Code, HStack, Text } = globalThis.ChakraUI;

function Why({ run }) {
  if (!run.error_message) return null;
  return h(Fragment, null, sentence(run.error_message), " ", h(Text, { as: "span", color: "fg.muted" }, h(Hint, { text: run.hint })));
}

const link = (run, said) => (run.run_url ? h(To, { to: insideAirflow(run.run_url) }, said) : h(Code, { size: "sm" }, said));

export function Pipelines({ database, seen }) {
  const [days, setDays] = useState("14");
  const answer = useAnswer(`databases/${database}/timeline?days=${days}`, { every: 60 });
  const columns = [
    { title: "Pipeline", of: (row) => h(To, { to: `/dags/${row.database}.${row.pipeline}` }, row.pipeline) },
    { title: "Newest run", of: (row) => h(Moment, { at: row.started_at }) },
    { title: "Outcome", of: (row) => (row.run_url ? h(To, { to: insideAirflow(row.run_url) }, h(Outcome, { outcome: row.outcome })) : h(Outcome, { outcome: row.outcome })) },
    { title: "Ended well", of: (row) => h(Moment, { at: row.good_at }) },
    { title: "Why not", wide: true, of: (row) => h(Why, { run: row }) },
  ];
  return h(Fragment, null,
    h(Section, { title: "What was done", says: "A lane for each pipeline, a mark for each run. Click a mark to open its run.", aside: h(Choice, { label: "Look back", value: days, onChange: setDays, options: [["2", "2 days"], ["14", "14 days"], ["30", "30 days"], ["90", "90 days"]] }) },
      h(Answer, { of: answer, lines: 3 }, (stretches) => h(Timeline, { stretches, since: answer.at.getTime() - Number(days) * 864e5, until: answer.at.getTime() }))),
    h(Section, { title: "Pipelines" }, h(List, { caption: "pipelines", columns, rows: seen.pipelines, name: (row) => row.pipeline, empty: "Nothing ran yet." })));
}

export const RUN_COLUMNS = [
  { title: "Started", of: (run) => link(run, h(Moment, { at: run.started_at })) },
  { title: "Pipeline", of: (run) => run.pipeline },
  { title: "Outcome", of: (run) => h(Outcome, { outcome: run.outcome }) },
  { title: "Took", end: true, of: (run) => (run.took ? span(run.took) : "–") },
  { title: "By", of: (run) => run.actor },
  { title: "Why", wide: true, of: (run) => h(Why, { run }) },
];

export function Runs({ database, seen }) {
  const [outcome, setOutcome] = useState("");
  const [pipeline, setPipeline] = useState("");
  const list = useList(`runs?database=${database}&outcome=${outcome}&pipeline=${pipeline}`);
  const all = [["", "all"]];
  const aside = h(HStack, { gap: 4, flexWrap: "wrap" },
    h(Choice, { label: "Pipeline", value: pipeline, onChange: setPipeline, options: [...all, ...seen.pipelines.map((row) => [row.pipeline, row.pipeline])] }),
    h(Choice, { label: "Outcome", value: outcome, onChange: setOutcome, options: [...all, ...["succeeded", "failed", "interrupted", "vanished", "running"].map((word) => [word, word])] }));
  return h(Section, { title: "Runs", says: "Everything that was done, with what came of it. Each line is also in the audit.", aside },
    h(ListOf, { list, caption: "runs", columns: RUN_COLUMNS, name: (run) => run.run_id }));
}
