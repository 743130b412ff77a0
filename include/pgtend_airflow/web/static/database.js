// One database: how it stands, and behind tabs everything that is known about it.
import { useAnswer, useMe } from "./api.js";
import { PARTS } from "./database_parts.js";
import { Leads } from "./fleet.js";
import { Light, LIGHTS, To } from "./look.js";
import { Act, Answer } from "./parts.js";
import { may } from "./rights.js";
import { sentence } from "./words.js";

const { createElement: h } = globalThis.React;
const { Badge, Box, Flex, Heading, HStack, SimpleGrid, Stack, Tabs, Text } = globalThis.ChakraUI;
const { useNavigate } = globalThis.ReactRouterDOM;

function Card({ column, cell, runbooks }) {
  return h(Box, { borderWidth: 1, borderColor: "border", borderRadius: "lg", p: 3, bg: "bg", borderTopWidth: 3, borderTopColor: `${LIGHTS[cell.light].palette}.solid` },
    h(Text, { fontSize: "xs", color: "fg.muted", title: column.meaning }, column.title),
    h(HStack, { gap: 1.5, my: 1 }, h(Light, { light: cell.light }), h(Text, { fontWeight: "semibold", overflowWrap: "anywhere" }, cell.says)),
    h(Text, { fontSize: "sm", color: "fg.muted" }, sentence(cell.why)),
    cell.light !== "good" && h(Box, { fontSize: "sm", mt: 1 }, h(Leads, { link: cell.link, runbooks })));
}

const outside = { key: "outside_window", kind: "switch", title: "Now, even outside the maintenance window", value: true };

export const STARTS = [
  { action: "backup", label: "Back up now", says: "Takes a backup, reads it back, and keeps it by the rules of the fleet file.", fields: [outside] },
  {
    action: "drill", label: "Drill now", says: "Restores a backup where nothing can be reached, compares everything, and signs what that proves. Production is not touched.",
    fields: [{ key: "rule", kind: "choice", title: "Which backup", value: "due", options: [["due", "the one that is most overdue"], ["newest", "the newest"], ["random", "a random one of the last 30 days"], ["oldest", "the oldest"], ["second_vault", "the copy in a second vault"], ["escrow_key", "the newest, opened with the key in escrow"]] }],
  },
  { action: "verify", label: "Verify now", says: "Reads the newest backup from the vault again, every stored byte of it, and holds it against its manifest.", fields: [] },
  { action: "analyze", label: "Analyze now", says: "Renews the statistics of tables that need it.", fields: [outside] },
  { action: "reindex", label: "Reindex now", says: "Rebuilds bloated indexes, worst first, and gives way to the application.", fields: [outside] },
];

export function Started({ came }) {
  return h(Text, null, "Started: ", h(To, { to: `/dags/${came.dag_id}/runs/${encodeURIComponent(came.run_id)}` }, came.run_id), came.is_paused && ". The pipeline is paused in Airflow, so the run waits until it is not.");
}

export function StartButtons({ database, starts = STARTS, after }) {
  return h(HStack, { gap: 2, flexWrap: "wrap" }, starts.map((start) => h(Act, {
    key: start.action, label: start.label, title: `${start.label}: ${database}`, says: start.says, fields: start.fields, after,
    path: `databases/${database}/actions/${start.action}`, body: (form) => ({ form }), done: (came) => h(Started, { came }),
  })));
}

export function DatabasePage({ database, part }) {
  const answer = useAnswer(`databases/${database}`, { every: 30 });
  const who = useMe();
  const navigate = useNavigate();
  const shown = PARTS.filter((each) => may(who, database, each.role));
  const chosen = shown.some((each) => each.key === part) ? part : "overview";
  return h(Stack, { gap: 4 },
    h(Flex, { justify: "space-between", gap: 3, wrap: "wrap", align: "start" },
      h(Box, null,
        h(Text, { fontSize: "sm" }, h(To, { to: "/plugin/pgtend" }, "All databases")),
        h(Heading, { as: "h1", size: "xl" }, database),
        answer.data && h(HStack, { mt: 1 }, h(Badge, { variant: "subtle" }, answer.data.row.owner), h(Badge, { variant: "subtle" }, answer.data.overview.environment))),
      may(who, database, "operator") && h(StartButtons, { database, after: answer.again })),
    h(Answer, { of: answer }, (seen) => h(Tabs.Root, { value: chosen, lazyMount: true, unmountOnExit: true, size: "sm", onValueChange: ({ value }) => navigate(`/plugin/pgtend/${database}/${value}`) },
      h(Tabs.List, { overflowX: "auto", overflowY: "hidden", "aria-label": `What is known about ${database}` }, shown.map((each) => h(Tabs.Trigger, { key: each.key, value: each.key, flexShrink: 0 }, each.title))),
      shown.map((each) => h(Tabs.Content, { key: each.key, value: each.key, pt: 4 },
        h(Stack, { gap: 4 },
          each.key === "overview" && h(SimpleGrid, { minChildWidth: "13rem", gap: 3 }, seen.overview.columns.map((column) => h(Card, { key: column.key, column, cell: seen.row.cells[column.key], runbooks: who?.runbooks }))),
          h(each.component, { database, seen, who, again: answer.again })))))));
}
