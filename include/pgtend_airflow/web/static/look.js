// What things look like: the four lights, outcomes, links. Never by colour alone: each light has a shape and a word.
import { useMe } from "./api.js";
import { ago, exact } from "./words.js";

const { createElement: h } = globalThis.React;
const { Badge, Box, Code, HStack, Link: Anchor, Text, VisuallyHidden } = globalThis.ChakraUI;
const { Link: RouterLink } = globalThis.ReactRouterDOM;

export const LIGHTS = {
  good: { palette: "green", word: "fine" },
  watch: { palette: "yellow", word: "needs a look" },
  unknown: { palette: "purple", word: "not known" },
  bad: { palette: "red", word: "needs somebody now" },
};

const SHAPES = {
  good: [h("circle", { key: 0, cx: 8, cy: 8, r: 7 }), h("path", { key: 1, d: "m4.8 8.3 2.2 2.2 4.3-4.8" })],
  watch: [h("path", { key: 0, d: "M8 1.2 15.2 14.3H.8Z" }), h("path", { key: 1, d: "M8 6v3.7M8 12v.1" })],
  unknown: [
    h("rect", { key: 0, x: 1, y: 1, width: 14, height: 14, rx: 3 }),
    h("path", { key: 1, d: "M6 6.2c0-2.6 4.1-2.6 4.1 0 0 1.5-2.1 1.6-2.1 3.1M8 11.9v.1" }),
  ],
  bad: [
    h("path", { key: 0, d: "M5 .8h6l4.2 4.2v6L11 15.2H5L.8 11V5Z" }),
    h("path", { key: 1, d: "m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2" }),
  ],
};

export function Light({ light, size = 4, label, ...rest }) {
  return h(
    Box,
    { as: "span", display: "inline-flex", flexShrink: 0, color: `${LIGHTS[light].palette}.solid`, boxSize: size, ...rest },
    h("svg", { viewBox: "0 0 16 16", width: "100%", height: "100%", "aria-hidden": true },
      h("g", { fill: "currentColor" }, SHAPES[light][0]),
      h("g", { fill: "none", stroke: "#fff", strokeWidth: 1.7, strokeLinecap: "round", strokeLinejoin: "round" }, SHAPES[light][1]),
    ),
    h(VisuallyHidden, null, label ?? `${LIGHTS[light].word}: `),
  );
}

const OUTCOMES = {
  succeeded: "green", proved: "green", passed: "green", running: "blue", failed: "red", interrupted: "red", vanished: "red",
};

export function Outcome({ outcome, palette }) {
  return h(Badge, { colorPalette: palette ?? OUTCOMES[outcome] ?? "gray", variant: "subtle", size: "sm" }, outcome);
}

export function Moment({ at, empty = "never" }) {
  return at ? h("time", { dateTime: at, title: exact(at), style: { whiteSpace: "nowrap" } }, ago(at)) : h(Text, { as: "span", color: "fg.muted" }, empty);
}

/** Turns an address of the API into one of this page: ours, Airflow's, or somebody else's. */
export function place(link, runbooks) {
  const colon = (link ?? "").indexOf(":");
  const [kind, rest] = [link?.slice(0, colon), link?.slice(colon + 1)];
  if (kind === "page") return { to: `/plugin/pgtend/${rest}`, says: "Look closer" };
  if (kind === "run" && rest) return { to: insideAirflow(rest), says: "Open the run" };
  if (kind === "runbook") {
    return runbooks ? { href: `${runbooks}/${rest}.md`, says: "Open the runbook" } : { says: `docs/runbooks/${rest}.md` };
  }
  return undefined;
}

export function insideAirflow(url) {
  const root = new URL(document.baseURI).pathname.replace(/\/$/, "");
  const path = new URL(url, document.baseURI).pathname;
  return path.startsWith(root) ? path.slice(root.length) || "/" : path;
}

export function To({ to, children, ...rest }) {
  return h(Anchor, { asChild: true, colorPalette: "brand", textDecoration: "underline", textUnderlineOffset: "3px", ...rest }, h(RouterLink, { to }, children));
}

export function Away({ href, children }) {
  return h(Anchor, { href, target: "_blank", rel: "noreferrer", textDecoration: "underline", textUnderlineOffset: "3px" }, children);
}

/** A hint of an error: commands stand out, runbooks can be opened. */
export function Hint({ text }) {
  const who = useMe();
  const parts = (text ?? "").split(/(`[^`]+`|docs\/runbooks\/[\w-]+\.md)/);
  return h(Text, { as: "span" }, parts.map((part, at) => {
    if (part.startsWith("`")) return h(Code, { key: at, size: "sm" }, part.slice(1, -1));
    const found = /^docs\/runbooks\/([\w-]+)\.md$/.exec(part);
    if (!found) return part;
    return who?.runbooks ? h(Away, { key: at, href: `${who.runbooks}/${found[1]}.md` }, part) : h(Code, { key: at, size: "sm" }, part);
  }));
}

export function Fact({ name, children }) {
  return h(Box, null,
    h(Text, { as: "dt", fontSize: "xs", color: "fg.muted" }, name),
    h(Text, { as: "dd", fontSize: "sm", fontWeight: "medium" }, children),
  );
}

export function Facts({ children }) {
  return h(HStack, { as: "dl", gap: 8, rowGap: 3, flexWrap: "wrap", align: "start" }, children);
}
