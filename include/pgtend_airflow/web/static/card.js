// A card on Airflow's home: the answer in one line, and what is not well.
import { useAnswer } from "./api.js";
import { Verdict } from "./fleet.js";
import { Light, To } from "./look.js";
import { Answer } from "./parts.js";

const { createElement: h } = globalThis.React;
const { Box, HStack, Stack, Text } = globalThis.ChakraUI;

function Card() {
  const answer = useAnswer("fleet", { every: 60 });
  return h(Box, { id: "pgtend", as: "section", "aria-label": "Are we safe?" },
    h(Answer, { of: answer, lines: 2 }, (seen) => h(Stack, { gap: 2 },
      h(Verdict, { seen, at: answer.at }),
      seen.rows.filter((row) => row.light !== "good").slice(0, 5).map((row) => h(HStack, { key: row.database, fontSize: "sm", gap: 2, flexWrap: "wrap" },
        h(Light, { light: row.light }),
        h(To, { to: `/plugin/pgtend/${row.database}` }, row.database),
        h(Text, { color: "fg.muted" }, seen.columns.filter((column) => row.cells[column.key].light !== "good").map((column) => `${column.title}: ${row.cells[column.key].says}`).join("; ")))),
      h(Text, { fontSize: "sm" }, h(To, { to: "/plugin/pgtend" }, "All databases")))));
}

globalThis["Are we safe?"] = Card;
globalThis.AirflowPlugin = Card;
