// Drills: what each proved, how long a recovery takes, and the receipt with what people said about it.
import { useAnswer, useList } from "./api.js";
import { Bars, LineChart } from "./charts.js";
import { Hint, Moment } from "./look.js";
import { Act, Answer, ListOf, List, Nothing, Section } from "./parts.js";
import { may } from "./rights.js";
import { bytes, count, counted, exact, seconds, sentence, span } from "./words.js";

const { createElement: h, Fragment } = globalThis.React;
const { Badge, Box, Button, CloseButton, Code, Dialog, HStack, Link: Anchor, Portal, Stack, Text } = globalThis.ChakraUI;

const VERDICTS = { PASS: "green", PASS_PARTIAL: "yellow", FAIL: "red" };
const API = new URL("../api/v1/", import.meta.url);

export function Verdict({ verdict, failure }) {
  return h(Fragment, null, h(Badge, { colorPalette: VERDICTS[verdict] ?? "gray", variant: "subtle" }, verdict.replaceAll("_", " ").toLowerCase()), failure && h(Text, { fontSize: "xs" }, h(Code, { size: "sm" }, failure)));
}

const CHECKS = [
  { title: "Check", of: (row) => `${row.check_name.replaceAll("_", " ")}${row.subject ? `: ${row.subject}` : ""}` },
  { title: "Outcome", of: (row) => h(Badge, { colorPalette: { passed: "green", failed: "red", skipped: "yellow" }[row.outcome], variant: "subtle" }, row.outcome) },
  { title: "Expected", of: (row) => row.expected },
  { title: "Found", of: (row) => row.found },
  { title: "Detail", wide: true, of: (row) => row.detail },
];

const REVIEW = [
  { key: "verdict", kind: "choice", title: "What do you decide?", value: "accepted", options: [["accepted", "accepted: it shows what it should"], ["needs-action", "needs action"], ["rejected", "rejected: it has to be done again"]] },
  { key: "note", kind: "text", title: "Why? (needed unless it is accepted)", value: "" },
];

const CORRECTION = [{ key: "action", kind: "text", title: "What is done about it, by whom and until when?", value: "" }];

function Receipt({ database, drill, who }) {
  const path = `databases/${database}/receipts/${drill.run_id}`;
  const answer = useAnswer(path);
  if (answer.problem?.code === "web.not_found") return h(Nothing, null, "This drill left no receipt.");
  return h(Answer, { of: answer, lines: 1 }, (seen) => h(Stack, { gap: 2 },
    h(HStack, { gap: 3, flexWrap: "wrap" },
      h(Anchor, { href: new URL(`${path}/page`, API).href, target: "_blank", rel: "noreferrer", textDecoration: "underline" }, `Receipt number ${seen.number}`),
      h(Text, { fontSize: "sm", color: "fg.muted" }, "signed by key ", h(Code, { size: "sm" }, seen.key_id.slice(0, 16)), ", its signature holds"),
      may(who, database, "operator") && h(Act, { label: "Review", title: `Review receipt ${seen.number}`, says: "What you decide is kept beside the receipt for good; the audit remembers its digest.", fields: REVIEW, path: `${path}/review`, body: (form) => form, done: () => h(Text, null, "Your review is kept."), after: answer.again, size: "xs" }),
      may(who, database, "operator") && h(Act, { label: "Corrective action", title: `Corrective action about receipt ${seen.number}`, says: "It is kept beside the receipt for good, as a review is, and shown to auditors.", fields: CORRECTION, path: `${path}/correction`, body: (form) => form, done: () => h(Text, null, "The corrective action is kept."), after: answer.again, size: "xs" })),
    seen.notes.length ? h("ul", { style: { listStyle: "none" } }, seen.notes.map((note) => h("li", { key: note.at }, h(Text, { fontSize: "sm" }, h(Badge, { variant: "subtle" }, note.verdict || note.kind), ` ${note.by}, ${exact(note.at)}${note.text ? `: ${note.text}` : ""}`))))
      : h(Text, { fontSize: "sm", color: "fg.muted" }, "Nobody has reviewed it yet.")));
}

function One({ database, drill, who }) {
  const answer = useAnswer(`databases/${database}/drills/${drill.run_id}`);
  return h(Stack, { gap: 4 },
    h(Receipt, { database, drill, who }),
    drill.not_checked && h(Text, { fontSize: "sm" }, h(Text, { as: "strong" }, "Not checked: "), drill.not_checked),
    h(Answer, { of: answer }, (seen) => h(Fragment, null,
      h(Box, null, h(Text, { fontWeight: "medium", mb: 1 }, "Where the time went"),
        h(Bars, { label: "steps with their times", rows: seen.stages.map((stage) => ({ name: stage.stage, value: seconds(stage.took), says: `${span(stage.took)}${stage.bytes ? `, ${bytes(stage.bytes)}` : ""}${stage.rows ? `, ${counted(stage.rows, "row")}` : ""}` })) })),
      h(List, { caption: "checks", columns: CHECKS, rows: seen.checks, name: (row) => `${row.check_name}/${row.subject}` }))));
}

function Open({ database, drill, who }) {
  return h(Dialog.Root, { size: "xl", lazyMount: true, scrollBehavior: "inside" },
    h(Dialog.Trigger, { asChild: true }, h(Button, { size: "xs", variant: "outline" }, "Look inside")),
    h(Portal, null, h(Dialog.Backdrop), h(Dialog.Positioner, null, h(Dialog.Content, { mx: 3 },
      h(Dialog.Header, null, h(Dialog.Title, null, `Drill of ${drill.backup_id}`)),
      h(Dialog.Body, { tabIndex: 0 }, h(One, { database, drill, who })),
      h(Dialog.CloseTrigger, { asChild: true }, h(CloseButton, { size: "sm", "aria-label": "Close" }))))));
}

export function Drills({ database, who }) {
  const list = useList(`databases/${database}/drills?most=50`);
  const timed = (list.items ?? []).filter((drill) => drill.rto_measured).reverse();
  const target = timed.at(-1)?.rto_target;
  const crosses = list.items?.[0]?.rto_crosses_at;
  const columns = [
    { title: "Ended", of: (row) => h(Moment, { at: row.ended_at }) },
    { title: "Verdict", of: (row) => h(Verdict, { verdict: row.verdict, failure: row.failure_class }) },
    { title: "Backup", of: (row) => h(Fragment, null, h(Code, { size: "xs" }, row.backup_id), h(Text, { fontSize: "xs", color: "fg.muted" }, `${row.rule.replaceAll("_", " ")}, from ${row.vault}`)) },
    { title: "Recovery took", end: true, of: (row) => span(row.rto_measured) },
    { title: "Today it would", end: true, of: (row) => span(row.rto_predicted) },
    { title: "Size", end: true, of: (row) => bytes(row.source_size) },
    { title: "Inside", of: (row) => h(Open, { database, drill: row, who }) },
  ];
  return h(Fragment, null,
    h(Section, { title: "How long a recovery takes", says: crosses ? h(Hint, { text: sentence(`if it goes on growing, it will take longer than it may from ${exact(crosses)}`) }) : "Measured in each drill, beside what the fleet file allows." },
      h(LineChart, { points: timed.map((drill) => ({ at: drill.ended_at, value: seconds(drill.rto_measured) })), limits: target ? [{ value: seconds(target), says: `target ${span(target)}`, light: "bad" }] : [], say: span, label: "how long a recovery took, in each drill" })),
    h(Section, { title: "Drills", says: "A backup is proven when a drill restored it where nothing can be reached, and found everything identical." },
      h(ListOf, { list, caption: "drills", columns, name: (row) => row.run_id, empty: "No drill has ended yet, so nobody knows whether its backups can be restored." })));
}
