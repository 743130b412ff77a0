// Pictures as SVG: each says in words what it shows, and can be read as a table by those who do not see it.
import { insideAirflow } from "./look.js";
import { counted, day, exact, span } from "./words.js";

const { createElement: h, useEffect, useId, useRef, useState } = globalThis.React;
const { Box, HStack, Table, Text, VisuallyHidden } = globalThis.ChakraUI;
const { useNavigate } = globalThis.ReactRouterDOM;

const colour = (name) => `var(--chakra-colors-${name.replaceAll(".", "-")})`;
const OUTCOME = { succeeded: "green.solid", running: "blue.solid", failed: "red.solid", interrupted: "red.solid", vanished: "red.solid" };

/** Measures the room a picture has, so that its letters keep their size on a phone. */
function useWidth() {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const seen = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  return [box, width];
}

function Said({ caption, columns, rows }) {
  return h(VisuallyHidden, null,
    h(Table.Root, null,
      h(Table.Caption, null, caption),
      h(Table.Header, null, h(Table.Row, null, columns.map((title) => h(Table.ColumnHeader, { key: title }, title)))),
      h(Table.Body, null, rows.map((row, at) => h(Table.Row, { key: at }, row.map((cell, nth) => h(Table.Cell, { key: nth }, cell)))))));
}

function days(since, until, most) {
  const all = [];
  for (let at = Math.ceil(since / 864e5) * 864e5; at < until; at += 864e5) all.push(at);
  const step = Math.max(1, Math.ceil(all.length / most));
  return all.filter((_, nth) => (all.length - 1 - nth) % step === 0);
}

function DayLines({ since, until, x, top, bottom, width }) {
  return days(since, until, Math.max(2, Math.floor(width / 64))).map((at) => h("g", { key: at },
    h("line", { x1: x(at), x2: x(at), y1: top, y2: bottom, stroke: colour("border"), strokeDasharray: "2 3" }),
    x(at) < x(until) - 30 && h("text", { x: x(at) + 3, y: bottom + 13, style: { fontSize: 11 }, fill: colour("fg.muted") }, day(at).slice(5))));
}

/** Everything that was done to a database: a lane for each pipeline, a mark for each run. */
export function Timeline({ stretches, since, until }) {
  const [box, width] = useWidth();
  const navigate = useNavigate();
  const lanes = [...new Set(stretches.map((run) => run.pipeline))].sort();
  const [left, lane, top] = [92, 24, 4];
  const bottom = top + lanes.length * lane;
  const x = (at) => left + ((at - since) / (until - since)) * Math.max(1, width - left - 4);
  const failed = stretches.filter((run) => OUTCOME[run.outcome] === "red.solid").reduce((sum, run) => sum + run.runs, 0);
  const all = stretches.reduce((sum, run) => sum + run.runs, 0);
  const label = `${counted(all, "run")} of ${counted(lanes.length, "pipeline")} since ${day(since)}, failed: ${failed}`;
  const mark = (run) => {
    const from = x(new Date(run.started_at).getTime());
    const wide = Math.max(4, x(run.ended_at ? new Date(run.ended_at).getTime() : until) - from);
    const took = run.ended_at ? `, took ${span((new Date(run.ended_at) - new Date(run.started_at)) / 1000)}` : "";
    return h("rect", {
      key: `${run.run_id}${run.outcome}`, x: from, y: top + lanes.indexOf(run.pipeline) * lane + 4, width: wide, height: lane - 8, rx: 2,
      fill: colour(OUTCOME[run.outcome] ?? "gray.solid"), style: { cursor: run.run_url ? "pointer" : "default" },
      onClick: run.run_url ? () => navigate(insideAirflow(run.run_url)) : undefined,
    }, h("title", null, `${run.runs > 1 ? `${run.runs} times ` : ""}${run.pipeline} ${run.outcome}, ${exact(run.started_at)}${run.runs > 1 ? "" : took}${run.error_code ? ` (${run.error_code})` : ""}`));
  };
  return h(Box, { ref: box },
    width > 0 && h("svg", { width, height: bottom + 18, role: "img", "aria-label": label },
      lanes.map((name, nth) => h("g", { key: name },
        nth % 2 === 0 && h("rect", { x: left, y: top + nth * lane, width: width - left, height: lane, fill: colour("bg.muted"), opacity: 0.5 }),
        h("text", { x: 0, y: top + nth * lane + 16, style: { fontSize: 12 }, fill: colour("fg") }, name))),
      h(DayLines, { since, until, x, top, bottom, width: width - left }),
      stretches.map(mark)),
    h(HStack, { gap: 4, mt: 1, flexWrap: "wrap" }, ["succeeded", "running", "failed"].map((outcome) => h(HStack, { key: outcome, gap: 1.5 },
      h(Box, { boxSize: 2.5, borderRadius: "sm", bg: OUTCOME[outcome] }), h(Text, { fontSize: "xs", color: "fg.muted" }, outcome)))));
}

const CLOCK = [1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800];

function steps(low, high, isTime) {
  const raw = (high - low) / 3 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = (isTime && raw > 1 && CLOCK.find((candidate) => candidate >= raw)) || [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= raw);
  const all = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) all.push(at);
  return all;
}

/** One value over time, with the limits it is held to. Points: {at, value}; limits: {value, says, light}. */
export function LineChart({ points, limits = [], say = String, label, height = 160, fromZero = true }) {
  const [box, width] = useWidth();
  const [seen, setSeen] = useState();
  const clip = useId();
  const known = points.filter((point) => point.value !== null && point.value !== undefined);
  const newest = known.at(-1);
  if (known.length < 2) {
    const only = newest && [say(newest.value), ...limits.map((limit) => limit.says)].join("; ");
    return h(Box, { ref: box }, h(Text, { color: "fg.muted", fontSize: "sm" }, only ? `One measurement so far: ${only}.` : "No measurements yet."));
  }
  const times = known.map((point) => new Date(point.at).getTime());
  const values = [...known.map((point) => point.value), ...limits.map((limit) => limit.value)];
  const [since, until] = [Math.min(...times), Math.max(...times, Math.min(...times) + 1)];
  const low = fromZero ? Math.min(0, ...values) : Math.min(...values);
  const high = Math.max(...values) === low ? low + 1 : Math.max(...values);
  const [left, right, top, bottom] = [72, 8, 8, height - 20];
  const x = (at) => left + ((at - since) / (until - since)) * Math.max(1, width - left - right);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  const line = known.map((point, nth) => `${nth ? "L" : "M"}${x(times[nth]).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
  const look = (event) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const nearest = times.reduce((best, time, nth) => (Math.abs(x(time) - at) < Math.abs(x(times[best]) - at) ? nth : best), 0);
    setSeen(nearest);
  };
  return h(Box, { ref: box, position: "relative" },
    width > 0 && h("svg", { width, height, role: "img", "aria-label": `${label}: ${known.length} values, the newest is ${say(newest.value)}`, onPointerMove: look, onPointerLeave: () => setSeen(undefined) },
      h("clipPath", { id: clip }, h("rect", { x: left, y: top - 4, width: Math.max(0, width - left - right), height: bottom - top + 8 })),
      steps(low, high, say === span).map((value) => h("g", { key: value },
        h("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), stroke: colour("border"), strokeWidth: 0.7 }),
        h("text", { x: left - 6, y: y(value) + 4, style: { fontSize: 11 }, textAnchor: "end", fill: colour("fg.muted") }, say(value)))),
      h(DayLines, { since, until, x, top, bottom, width: width - left }),
      limits.map((limit) => h("g", { key: limit.says },
        h("line", { x1: left, x2: width - right, y1: y(limit.value), y2: y(limit.value), stroke: colour(limit.light === "bad" ? "red.solid" : "yellow.solid"), strokeDasharray: "6 4", strokeWidth: 1.4 }),
        h("text", { x: width - right, y: y(limit.value) < top + 14 ? y(limit.value) + 13 : y(limit.value) - 4, style: { fontSize: 11 }, textAnchor: "end", fill: colour("fg.muted") }, limit.says))),
      h("path", { d: line, fill: "none", stroke: colour("blue.solid"), strokeWidth: 1.8, clipPath: `url(#${clip})` }),
      seen !== undefined && h("g", { pointerEvents: "none" },
        h("line", { x1: x(times[seen]), x2: x(times[seen]), y1: top, y2: bottom, stroke: colour("fg.muted") }),
        h("circle", { cx: x(times[seen]), cy: y(known[seen].value), r: 3.5, fill: colour("blue.solid") }))),
    h(Text, { fontSize: "xs", color: "fg.muted", minH: "1.2rem" }, seen === undefined ? "" : `${exact(known[seen].at)}: ${say(known[seen].value)}`),
    h(Said, { caption: label, columns: ["when", "value"], rows: known.slice(-30).map((point) => [exact(point.at), say(point.value)]) }));
}

/** Amounts beside each other. Rows: {name, value, says, light}. */
export function Bars({ rows, label, most }) {
  const largest = most ?? Math.max(...rows.map((row) => row.value), 1e-9);
  const paint = { good: "green.solid", watch: "yellow.solid", bad: "red.solid", unknown: "purple.solid" };
  return h(Box, { as: "ul", listStyleType: "none", "aria-label": label }, rows.map((row) => h(Box, { as: "li", key: row.name, py: "3px" },
    h(HStack, { justify: "space-between", fontSize: "sm", gap: 3 },
      h(Text, { overflowWrap: "anywhere", minW: 0 }, row.name), h(Text, { color: "fg.muted", flexShrink: 0, fontVariantNumeric: "tabular-nums" }, row.says)),
    h(Box, { h: "6px", borderRadius: "full", bg: "bg.muted", "aria-hidden": true },
      h(Box, { h: "6px", borderRadius: "full", bg: paint[row.light] ?? "blue.solid", width: `${Math.max(1, Math.min(100, (100 * row.value) / largest))}%` })))));
}
