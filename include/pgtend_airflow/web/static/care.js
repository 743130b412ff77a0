// What could be smaller or faster: decisions and advice on indexes, months that left, months that wait.
import { useAnswer } from "./api.js";
import { Moment } from "./look.js";
import { Answer, Choice, List, Section } from "./parts.js";
import { bytes, count, day, number, sentence, span } from "./words.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Badge, Box, Code, Text } = globalThis.ChakraUI;

const name = (row) => `${row.schema_name}.${row.index_name ?? row.table_name}`;

const DECIDED = [
  { title: "Index", of: (row) => h(Fragment, null, name(row), h(Text, { fontSize: "xs", color: "fg.muted" }, `on ${row.table_name}`)) },
  { title: "When", of: (row) => h(Moment, { at: row.at }) },
  { title: "Decision", of: (row) => h(Badge, { colorPalette: row.decision === "rebuild" ? "blue" : "gray", variant: "subtle" }, row.decision) },
  { title: "Size", end: true, of: (row) => `${bytes(row.size_before)}${row.size_after !== null ? ` → ${bytes(row.size_after)}` : row.size_predicted !== null ? ` (${bytes(row.size_predicted)} if new)` : ""}` },
  { title: "Outcome", of: (row) => h(Fragment, null, row.outcome, row.error_code && h(Text, { fontSize: "xs" }, h(Code, { size: "sm" }, row.error_code))) },
  { title: "Took", end: true, of: (row) => (row.took ? span(row.took) : "–") },
  { title: "Why", wide: true, of: (row) => sentence(row.reason) },
];

const STATUS = { advised: "green", candidate: "yellow", refuted: "gray" };
const sql = (text) => h(Box, { as: "pre", tabIndex: 0, fontSize: "xs", p: 2, my: 1, bg: "bg.subtle", borderRadius: "md", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }, text);
const share = (part) => (part === null ? "–" : `${number(100 * part, 0)} %`);

const ADVISED = [
  { title: "Status", of: (row) => h(Fragment, null, h(Badge, { colorPalette: STATUS[row.status], variant: "subtle" }, row.status), h(Text, { fontSize: "xs", color: "fg.muted" }, row.priority)) },
  { title: "What", wide: true, of: (row) => h(Fragment, null, row.kind, row.up_sql && sql(row.up_sql)) },
  { title: "Why", wide: true, of: (row) => sentence(row.why) },
  { title: "Faster by", end: true, of: (row) => share(row.gain) },
  { title: "Harm", end: true, of: (row) => share(row.worst_harm) },
  { title: "Size", end: true, of: (row) => bytes(row.size) },
];

export function Indexes({ database, who }) {
  const [decided, setDecided] = useState("rebuild");
  const answer = useAnswer(`databases/${database}/indexes?decided=${decided}`);
  const reads = ["researcher", "operator", "admin"].includes(who?.databases?.[database]);
  const advice = useAnswer(reads ? `databases/${database}/indexes/advice` : "");
  const aside = h(Choice, { label: "Show", value: decided, onChange: setDecided, options: [["rebuild", "rebuilds"], ["skip", "left alone"], ["", "all"]] });
  return h(Fragment, null,
    reads && h(Section, { title: "Advice", says: "Proved on a restored copy before it is given: what became faster, and what slower." },
      h(Answer, { of: advice, lines: 2 }, (rows) => h(List, { caption: "advice", columns: ADVISED, rows, name: (row) => `${name(row)}/${row.kind}`, empty: "There is no advice." }))),
    h(Section, { title: "Decisions", says: "Of the last forty days, each with its reason.", aside },
      h(Answer, { of: answer }, (rows) => h(List, { caption: "decisions", columns: DECIDED, rows, name: (row) => `${row.run_id}/${name(row)}`, empty: "No index was judged so." }))));
}

const PLANNED = [
  { title: "Table", of: (row) => `${row.schema_name}.${row.table_name}` },
  { title: "Months", end: true, of: (row) => count(row.months) },
  { title: "Rows", end: true, of: (row) => count(row.planned_rows) },
  { title: "Older than", of: (row) => day(row.cutoff) },
  { title: "Approved", of: (row) => row.approved_by || "nobody yet" },
  { title: "In the way", wide: true, of: (row) => (row.refusals ? sentence(row.refusals) : "nothing") },
];

const STEPS = { moved: "blue", sealed: "blue", stored: "teal", proven: "green", dropped: "green", destroyed: "gray", erased: "gray", held: "yellow" };
const MONTHS = [
  { title: "Month", of: (row) => day(row.month).slice(0, 7) },
  { title: "Table", of: (row) => `${row.schema_name}.${row.table_name}` },
  { title: "Stands at", of: (row) => h(Badge, { colorPalette: STEPS[row.step] ?? "gray", variant: "subtle" }, row.step) },
  { title: "Rows", end: true, of: (row) => count(row.row_count) },
  { title: "Size", end: true, of: (row) => bytes(row.bytes) },
  { title: "Since", of: (row) => h(Moment, { at: row.at }) },
];

export function Archive({ database }) {
  const answer = useAnswer(`databases/${database}/archive`);
  return h(Answer, { of: answer }, (seen) => h(Fragment, null,
    h(Section, { title: "What waits", says: "As the newest run planned it, or left it where it did something." }, h(List, { caption: "plans", columns: PLANNED, rows: seen.plans, name: (row) => `${row.schema_name}.${row.table_name}`, empty: "No run has planned anything in forty days." })),
    h(Section, { title: "Archived months", says: "A month counts when it was read back; the original goes only after that." }, h(List, { caption: "months", columns: MONTHS, rows: seen.months, name: (row) => `${row.table_name}/${row.month}`, empty: "No month has left yet." }))));
}
