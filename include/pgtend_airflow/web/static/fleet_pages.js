// Pages of the fleet as a whole: every alert, and the API as its own description tells it.
import { Alerts } from "./alerts.js";
import { useAnswer, useMe } from "./api.js";
import { Started } from "./database.js";
import { To } from "./look.js";
import { Act, Answer, List, Nothing, Section } from "./parts.js";
import { may } from "./rights.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Badge, Box, Code, Field, Heading, HStack, Input, Link: Anchor, Stack, Text } = globalThis.ChakraUI;

const STARTS = [
  { action: "channels", label: "Test the channels", says: "Says hello through every alert channel of the fleet file. The message says that it is a test." },
  { action: "audit", label: "Verify the audit", says: "Computes the chain of the audit anew, compares it with its anchors, and verifies every receipt." },
  { action: "report", label: "Report now", says: "Writes the weekly report, keeps it in the vaults and sends it to the channels." },
];

function Page({ title, aside, children }) {
  return h(Stack, { gap: 4 },
    h(HStack, { justify: "space-between", align: "end", gap: 3, flexWrap: "wrap" },
      h(Box, null, h(Text, { fontSize: "sm" }, h(To, { to: "/plugin/pgtend" }, "All databases")), h(Heading, { as: "h1", size: "xl" }, title)),
      aside),
    children);
}

function AllAlerts() {
  const who = useMe();
  const aside = may(who, "", "admin") && h(HStack, { gap: 2, flexWrap: "wrap" }, STARTS.map((start) => h(Act, {
    key: start.action, label: start.label, title: start.label, says: start.says, path: `fleet/actions/${start.action}`, body: () => ({}), done: (came) => h(Started, { came }),
  })));
  return h(Page, { title: "All alerts", aside }, h(Alerts, { who }));
}

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const METHODS = { get: "blue", post: "green" };
const kind = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  return [schema.type, schema.format && `(${schema.format})`, schema.minimum !== undefined && `from ${schema.minimum}`, schema.maximum !== undefined && `to ${schema.maximum}`].filter(Boolean).join(" ");
};

const VALUES = [
  { title: "Name", of: (row) => h(Code, { size: "sm" }, row.name) },
  { title: "Where", of: (row) => row.where },
  { title: "Kind", of: (row) => kind(row.schema) },
  { title: "Default", of: (row) => (row.required ? "needed" : String(row.schema?.default ?? "") || "empty") },
  { title: "What it means", wide: true, of: (row) => row.description },
];

function values(said, schemas) {
  const asked = (said.parameters ?? []).map((one) => ({ ...one, where: one.in }));
  const body = kind(said.requestBody?.content?.["application/json"]?.schema);
  const fields = Object.entries(schemas[body]?.properties ?? {}).map(([name, schema]) => ({ name, where: "body", schema, description: schema.description, required: schemas[body].required?.includes(name) }));
  return [...asked, ...fields];
}

function Route({ method, path, said, schemas }) {
  const answer = kind(Object.entries(said.responses).find(([status]) => status.startsWith("2"))?.[1].content?.["application/json"]?.schema);
  return h(Box, { as: "details", borderWidth: 1, borderColor: "border", borderRadius: "md", px: 3, py: 2 },
    h("summary", { style: { cursor: "pointer" } }, h(Box, { as: "span", display: "inline-flex", flexWrap: "wrap", gap: 2, alignItems: "center", maxWidth: "95%", verticalAlign: "top" },
      h(Badge, { colorPalette: METHODS[method] ?? "gray", variant: "subtle" }, method.toUpperCase()), h(Code, { size: "sm", overflowWrap: "anywhere" }, `${ROOT}${path}`), h(Text, { as: "span", fontSize: "sm" }, said.summary), h(Badge, { variant: "outline" }, said["x-role"]))),
    h(Stack, { gap: 2, mt: 3 },
      h(Text, { fontSize: "sm" }, said.description),
      h(List, { caption: `values of ${method} ${path}`, columns: VALUES, rows: values(said, schemas), name: (row) => `${row.where}/${row.name}`, empty: "It takes no values." }),
      answer && h(Text, { fontSize: "sm" }, "It answers with ", h(Code, { size: "sm" }, answer), "; an error is ", h(Code, { size: "sm" }, "application/problem+json"), ".")));
}

function Api() {
  const answer = useAnswer("openapi.json");
  const [wanted, setWanted] = useState("");
  const matches = (path, said) => `${path} ${said.summary} ${said["x-role"]}`.toLowerCase().includes(wanted.toLowerCase());
  return h(Page, { title: "API" }, h(Answer, { of: answer, lines: 8 }, (seen) => {
    const routes = Object.entries(seen.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, said]) => ({ method, path, said }))).filter(({ path, said }) => matches(path, said));
    const areas = [...new Set(routes.map(({ said }) => said.tags[0]))];
    return h(Fragment, null,
      h(Section, { title: "Everything that the pages show, for programs" }, h(Stack, { gap: 3 },
        seen.info.description.split("\n\n").map((text) => h(Text, { key: text, fontSize: "sm", maxW: "80ch" }, text.split(/(`[^`]+`)/).map((part, nth) => (part.startsWith("`") ? h(Code, { key: nth, size: "sm" }, part.slice(1, -1)) : part)))),
        h(Text, { fontSize: "sm" }, h(Anchor, { href: new URL("../api/v1/openapi.json", import.meta.url).href, textDecoration: "underline" }, "openapi.json"), " is the same for machines."),
        h(Field.Root, { maxW: "24rem" }, h(Field.Label, null, "Only routes with"), h(Input, { size: "sm", value: wanted, placeholder: "backups, operator, trends …", onChange: (event) => setWanted(event.target.value) })))),
      areas.map((area) => h(Section, { key: area, title: area[0].toUpperCase() + area.slice(1) }, h(Stack, { gap: 2 }, routes.filter(({ said }) => said.tags[0] === area).map((route) => h(Route, { key: `${route.method}${route.path}`, ...route, schemas: seen.components.schemas }))))),
      !routes.length && h(Nothing, null, "No route has that."));
  }));
}

export const FLEET_PAGES = { alerts: AllAlerts, api: Api };
