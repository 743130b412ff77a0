// Health: what is near a limit and what to do, where each number is going, who holds connections, which tables grow.
import { useAnswer } from "./api.js";
import { LineChart } from "./charts.js";
import { Hint, Light, Moment } from "./look.js";
import { Answer, Choice, List, Section } from "./parts.js";
import { bytes, count, counted, number, sentence, span } from "./words.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Badge, Box, Button, CloseButton, Dialog, HStack, Portal, Stack, Text } = globalThis.ChakraUI;

const LIGHT = { ok: "good", warning: "watch", critical: "bad", unknown: "unknown" };
const UNITS = {
  percent: (value) => `${number(value, value < 10 ? 1 : 0)} %`,
  seconds: (value) => span(value),
  bytes: (value) => bytes(value),
  days: (value) => `${number(value, 0)} d`,
  times: (value) => `${number(value)}×`,
  "per second": (value) => `${number(value)}/s`,
  amount: (value) => number(value, 0),
};
export const say = (unit) => UNITS[unit] ?? ((value) => number(value));

function Trend({ database, metric }) {
  const [days, setDays] = useState("30");
  const answer = useAnswer(`database/performance/trends/${metric}?database=${database}&days=${days}`);
  return h(Stack, { gap: 3 },
    h(Choice, { label: "Look back", value: days, onChange: setDays, options: [["1", "a day"], ["7", "a week"], ["30", "30 days"], ["365", "a year"]] }),
    h(Answer, { of: answer }, (seen) => h(Fragment, null,
      h(Text, { fontSize: "sm", color: "fg.muted" }, seen.meaning),
      h(LineChart, {
        points: seen.points.map((point) => ({ at: point.at, value: point.last })), say: say(seen.unit), label: seen.title, height: 220,
        limits: [["warning", "watch"], ["critical", "bad"]].filter(([key]) => seen[key] !== null).map(([key, light]) => ({ value: seen[key], says: `${key} from ${say(seen.unit)(seen[key])}`, light })),
      }),
      seen.days_until_critical !== null && seen.days_until_critical < 3650 && h(Text, { fontSize: "sm" }, `At this growth the limit is met in ${counted(Math.round(seen.days_until_critical), "day")}.`))));
}

export function Metric({ database, finding, children }) {
  return h(Dialog.Root, { size: "xl", lazyMount: true },
    h(Dialog.Trigger, { asChild: true }, h(Button, { variant: "plain", height: "auto", p: 0, minW: 0, fontWeight: "medium", textDecoration: "underline", textUnderlineOffset: "3px", whiteSpace: "normal", textAlign: "start" }, children)),
    h(Portal, null, h(Dialog.Backdrop), h(Dialog.Positioner, null, h(Dialog.Content, { mx: 3 },
      h(Dialog.Header, null, h(Dialog.Title, null, `${finding.title} of ${database}`)),
      h(Dialog.Body, null, h(Trend, { database, metric: finding.metric })),
      h(Dialog.CloseTrigger, { asChild: true }, h(CloseButton, { size: "sm", "aria-label": "Close" }))))));
}

// Too little happened to judge it: that nothing is wrong with it is not known either.
const isQuiet = (finding) => finding.level === "ok" && !finding.says;

function Why({ finding }) {
  if (finding.level === "ok" || finding.level === "not watched") return h(Text, { color: "fg.muted" }, finding.level === "ok" && !isQuiet(finding) ? "" : finding.reason);
  return h(Fragment, null, h(Text, null, finding.about && `${finding.about}: `, sentence(finding.reason)), finding.advice && h(Text, { fontSize: "sm", color: "fg.muted" }, h(Hint, { text: finding.advice })));
}

const COLUMNS = (database) => [
  { title: "What", of: (row) => h(HStack, { gap: 2, align: "start" }, LIGHT[row.level] && !isQuiet(row) ? h(Light, { light: LIGHT[row.level] }) : h(Badge, { size: "xs", variant: "outline" }, isQuiet(row) ? "quiet" : "off"), h(Metric, { database, finding: row }, row.title)) },
  { title: "Now", end: true, of: (row) => row.says || "–" },
  { title: "Limits", end: true, of: (row) => [row.warning, row.critical].filter((limit) => limit !== null).map(say(row.unit)).join(" / ") || "–" },
  { title: "Since", of: (row) => h(Moment, { at: row.since, empty: "" }) },
  { title: "Why, and what to do", wide: true, of: (row) => h(Why, { finding: row }) },
];

const CHANGES = [
  { title: "When", of: (row) => h(Moment, { at: row.at }) },
  { title: "What", of: (row) => row.metric.replaceAll("_", " ") },
  { title: "Went", of: (row) => h(HStack, { gap: 1 }, row.was, "→", LIGHT[row.level] && h(Light, { light: LIGHT[row.level], label: "" }), row.level) },
  { title: "Why", wide: true, of: (row) => sentence(row.reason) },
];

const POOLS = [
  { title: "Application", of: (row) => row.application || "(says no name)" },
  { title: "Role", of: (row) => row.role },
  { title: "Connections", end: true, of: (row) => count(row.sessions) },
  { title: "At work", end: true, of: (row) => count(row.active) },
  { title: "In a transaction", end: true, of: (row) => count(row.idle_in_transaction) },
  { title: "Long unused", end: true, of: (row) => count(row.idle_long) },
];

function Pools({ database }) {
  const answer = useAnswer(`database/analysis/connection-pooling?database=${database}`);
  return h(Section, { title: "Who holds connections" }, h(Answer, { of: answer, lines: 2 }, (seen) => h(Stack, { gap: 3 },
    seen.advice.suggested !== null && h(Text, null, "All pools together need about ", h(Text, { as: "strong" }, counted(seen.advice.suggested, "connection")), "."),
    h(Text, { fontSize: "sm", color: "fg.muted" }, seen.advice.why),
    seen.advice.leaks.map((leak) => h(HStack, { key: leak, gap: 2, align: "start" }, h(Light, { light: "watch" }), h(Text, { fontSize: "sm" }, sentence(leak)))),
    h(List, { caption: "connections", columns: POOLS, rows: seen.pools, name: (row) => `${row.application}/${row.role}`, empty: "Nobody was connected at the last look." }))));
}

const TABLES = [
  { title: "Table", of: (row) => row.name },
  { title: "Size", end: true, of: (row) => bytes(row.size) },
  { title: "In four weeks", end: true, of: (row) => (row.size_before === null ? "–" : `${row.size >= row.size_before ? "+" : ""}${bytes(row.size - row.size_before)}`) },
  { title: "Rows", end: true, of: (row) => count(row.rows) },
  { title: "Dead", end: true, of: (row) => `${number(100 * row.dead_ratio)} %` },
  { title: "Vacuumed", of: (row) => h(Moment, { at: row.vacuumed_at }) },
];

export function Tables({ database }) {
  const answer = useAnswer(`database/analysis/tables?database=${database}`);
  return h(Section, { title: "Largest tables", says: "As they were seen once a day." }, h(Answer, { of: answer }, (rows) => h(List, { caption: "tables", columns: TABLES, rows, name: (row) => row.name })));
}

const TOLD = (database) => [
  { title: "What", of: (row) => h(Metric, { database, finding: { metric: `app.${row.name}`, title: row.name.replaceAll("_", " ") } }, row.name.replaceAll("_", " ")) },
  { title: "Newest", end: true, of: (row) => `${number(row.value, 3)} ${row.unit}` },
  { title: "Told", of: (row) => h(Moment, { at: row.at }) },
  { title: "By", of: (row) => row.told_by.replace("airflow:", "") },
];

/** Nothing is shown where no application tells anything. */
function Told({ database }) {
  const answer = useAnswer(`database/performance/metrics?database=${database}`);
  if (!answer.data?.length) return null;
  return h(Section, { title: "What applications tell", says: "Numbers that only they know, such as how long a checkout takes." }, h(List, { caption: "numbers of applications", columns: TOLD(database), rows: answer.data, name: (row) => row.name }));
}

export function Health({ database, who }) {
  const [which, setWhich] = useState("judged");
  const answer = useAnswer(`database/health?database=${database}`, { every: 60 });
  const reads = ["researcher", "operator", "admin"].includes(who?.databases?.[database]);
  const aside = h(Choice, { label: "Show", value: which, onChange: setWhich, options: [["bad", "what is not well"], ["judged", "what has a limit"], ["all", "everything"]] });
  const wanted = (row) => which === "all" || (row.level !== "ok" && row.level !== "not watched") || (which === "judged" && (row.warning !== null || row.critical !== null));
  return h(Answer, { of: answer }, (seen) => h(Fragment, null,
    h(Section, { title: "What is watched", says: seen.looked_at ? h(Fragment, null, "Looked at ", h(Moment, { at: seen.looked_at }), ". Open a name to see where the number is going.") : "Nobody has looked at it yet.", aside },
      h(List, { caption: "what is watched", columns: COLUMNS(database), rows: seen.findings.filter(wanted), name: (row) => `${row.metric}/${row.about}`, empty: seen.findings.length ? "All is well." : "Nobody has looked at it yet." })),
    h(Box, { display: reads ? "block" : "none" }, reads && h(Pools, { database })),
    h(Told, { database }),
    h(Section, { title: "What changed", says: "In the last two weeks." }, h(List, { caption: "changes", columns: CHANGES, rows: seen.changes, name: (row) => `${row.at}${row.metric}`, empty: "Nothing got better or worse." }))));
}
