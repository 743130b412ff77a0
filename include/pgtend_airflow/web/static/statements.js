// Statements: what became slower and why, what the time goes to, and one of them night by night.
import { useAnswer } from "./api.js";
import { LineChart } from "./charts.js";
import { Answer, Choice, List, Section } from "./parts.js";
import { bytes, count, day, number, span } from "./words.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Badge, Box, Button, CloseButton, Code, Dialog, HStack, Portal, Text } = globalThis.ChakraUI;

const ms = (amount) => span((amount ?? 0) / 1000);
const KINDS = { regression: "red", "whole server": "red", load: "yellow", newcomer: "blue", improvement: "green", disappeared: "gray" };
// What is not judged by its time needs no cause: its kind is one.
const SAID = { "whole server": "everything was slower", load: "it ran more often than usual", newcomer: "no night before has seen it", disappeared: "it did not run at all" };

function Nights({ database, statement }) {
  const answer = useAnswer(`databases/${database}/statements/${statement.fingerprint}?days=60`);
  return h(Answer, { of: answer }, (days) => h(Fragment, null,
    h(Text, { fontSize: "sm", fontWeight: "medium" }, "Mean time of a call"),
    h(LineChart, { points: days.map((row) => ({ at: row.day, value: row.mean_ms })), say: ms, label: "mean time of a call, night by night" }),
    h(Text, { fontSize: "sm", fontWeight: "medium", mt: 2 }, "Calls a day"),
    h(LineChart, { points: days.map((row) => ({ at: row.day, value: row.calls })), say: (value) => number(value, 0), label: "calls, night by night", height: 120 })));
}

function Statement({ database, statement }) {
  const text = statement.query || "(its text was not seen)";
  return h(Dialog.Root, { size: "xl", lazyMount: true },
    h(Dialog.Trigger, { asChild: true }, h(Button, { variant: "plain", height: "auto", p: 0, minW: 0, whiteSpace: "normal", textAlign: "start", fontWeight: "normal", _hover: { textDecoration: "underline" } },
      h(Code, { size: "sm", bg: "transparent", p: 0, overflowWrap: "anywhere", css: { display: "-webkit-box", WebkitLineClamp: 3, WebkitBoxOrient: "vertical", overflow: "hidden" } }, text))),
    h(Portal, null, h(Dialog.Backdrop), h(Dialog.Positioner, null, h(Dialog.Content, { mx: 3 },
      h(Dialog.Header, null, h(Dialog.Title, null, "One statement, night by night")),
      h(Dialog.Body, null,
        h(Box, { as: "pre", tabIndex: 0, maxH: "14rem", overflow: "auto", p: 3, mb: 3, bg: "bg.subtle", borderRadius: "md", fontSize: "xs", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }, text),
        h(Nights, { database, statement })),
      h(Dialog.CloseTrigger, { asChild: true }, h(CloseButton, { size: "sm", "aria-label": "Close" }))))));
}

const who = (row) => h(Fragment, null, row.role && h(Text, { as: "span", fontSize: "xs", color: "fg.muted" }, row.role));

function change(row) {
  if (row.usual_ms === null || row.usual_ms === undefined) return ms(row.mean_ms);
  return `${ms(row.usual_ms)} → ${ms(row.mean_ms)}`;
}

const FOUND = (database) => [
  { title: "Night", of: (row) => h(Text, { whiteSpace: { md: "nowrap" } }, day(row.day)) },
  { title: "What", of: (row) => h(HStack, { gap: 1, flexWrap: "wrap" }, h(Badge, { colorPalette: KINDS[row.kind] ?? "gray", variant: "subtle" }, row.kind), row.ratio && row.kind === "regression" && h(Text, { fontSize: "sm" }, `${number(row.ratio)}×`)) },
  { title: "Statement", wide: true, of: (row) => (row.fingerprint ? h(Statement, { database, statement: row }) : "all of them") },
  { title: "A call", end: true, of: change },
  { title: "Costs more", end: true, of: (row) => `${ms(row.extra_ms)} a day` },
  { title: "Cause", wide: true, of: (row) => row.cause || (SAID[row.kind] ?? "none was found") },
];

const TOP = (database) => [
  { title: "Statement", wide: true, of: (row) => h(Fragment, null, h(Statement, { database, statement: row }), h("br"), who(row)) },
  { title: "Share", end: true, of: (row) => `${number(100 * row.share)} %` },
  { title: "Time", end: true, of: (row) => ms(row.exec_ms) },
  { title: "Calls", end: true, of: (row) => count(row.calls) },
  { title: "A call", end: true, of: (row) => `${ms(row.mean_ms)} ± ${ms(row.deviation_ms)}` },
  { title: "Read", end: true, of: (row) => bytes(row.shared_blks_read * 8192) },
  { title: "Temporary", end: true, of: (row) => bytes(row.temp_blks * 8192) },
];

const COMPARED = (database) => [
  { title: "Statement", wide: true, of: (row) => h(Statement, { database, statement: row }) },
  { title: "Change", end: true, of: (row) => `${row.change_ms >= 0 ? "+" : "−"}${ms(Math.abs(row.change_ms))}` },
  { title: "By more calls", end: true, of: (row) => `${row.by_calls_ms >= 0 ? "+" : "−"}${ms(Math.abs(row.by_calls_ms))}` },
  { title: "By slower calls", end: true, of: (row) => `${row.by_mean_ms >= 0 ? "+" : "−"}${ms(Math.abs(row.by_mean_ms))}` },
  { title: "Calls", end: true, of: (row) => `${count(row.earlier_calls)} → ${count(row.calls)}` },
  { title: "A call", end: true, of: (row) => `${ms(row.earlier_mean_ms)} → ${ms(row.mean_ms)}` },
];

const ORDERS = [["time", "time in all"], ["mean", "time of a call"], ["calls", "calls"], ["read", "blocks read"], ["temp", "temporary files"], ["wal", "WAL"]];
const SPANS = [["1", "a day"], ["7", "a week"], ["30", "30 days"], ["92", "three months"]];
const name = (row) => `${row.day ?? ""}${row.kind ?? ""}${row.fingerprint}${row.role}`;

export function Statements({ database }) {
  const [by, setBy] = useState("time");
  const [days, setDays] = useState("7");
  const found = useAnswer(`databases/${database}/statements/regressions?days=30`);
  const top = useAnswer(`databases/${database}/statements/top?days=${days}&by=${by}&most=30`);
  const compared = useAnswer(`databases/${database}/statements/compare?days=${days}&most=20`);
  const choose = h(HStack, { gap: 4, flexWrap: "wrap" }, h(Choice, { label: "Over", value: days, onChange: setDays, options: SPANS }), h(Choice, { label: "By", value: by, onChange: setBy, options: ORDERS }));
  return h(Fragment, null,
    h(Section, { title: "What changed", says: "Judged every night against the same statement's own past. Values of statements are never kept." },
      h(Answer, { of: found, lines: 2 }, (rows) => h(List, { caption: "what changed", columns: FOUND(database), rows, name, empty: "Nothing became slower in 30 days, as far as nights were judged." }))),
    h(Section, { title: "Where the time goes", aside: choose }, h(Answer, { of: top }, (rows) => h(List, { caption: "statements by cost", columns: TOP(database), rows, name, empty: "No night was counted in these days." }))),
    h(Section, { title: "Against the days before", says: `The last ${days} days beside the ${days} before: more calls, or slower ones?` }, h(Answer, { of: compared }, (rows) => h(List, { caption: "statements compared", columns: COMPARED(database), rows, name, empty: "There is nothing to compare yet." }))));
}
