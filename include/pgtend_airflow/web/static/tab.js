// The tab on a pipeline of ours: the database it tends, and its own runs as the ledger knows them.
import { useAnswer, useList } from "./api.js";
import { Leads } from "./fleet.js";
import { Light, To } from "./look.js";
import { Answer, ListOf, Nothing, Section } from "./parts.js";
import { RUN_COLUMNS } from "./runs.js";
import { sentence } from "./words.js";

const { createElement: h } = globalThis.React;
const { Box, HStack, Stack, Text } = globalThis.ChakraUI;

function Tended({ database, pipeline }) {
  const answer = useAnswer(`databases/${database}`, { every: 30 });
  const list = useList(`runs?database=${database}&pipeline=${pipeline}`);
  return h(Stack, { gap: 4 },
    h(Section, { title: database, says: "How the database stands that this pipeline tends.", aside: h(To, { to: `/plugin/pgtend/${database}` }, "Everything about it") },
      h(Answer, { of: answer }, (seen) => h(Stack, { gap: 2 }, seen.overview.columns.map((column) => {
        const cell = seen.row.cells[column.key];
        return h(HStack, { key: column.key, gap: 2, fontSize: "sm", align: "start", flexWrap: "wrap" },
          h(Light, { light: cell.light }), h(Text, { fontWeight: "medium" }, `${column.title}: ${cell.says}`), h(Text, { color: "fg.muted" }, sentence(cell.why)),
          cell.light !== "good" && h(Leads, { link: cell.link }));
      })))),
    h(Section, { title: `Runs of ${pipeline}`, says: "As the ledger knows them: also those from a shell, and those that died without a word." },
      h(ListOf, { list, caption: "runs", columns: RUN_COLUMNS.filter((column) => column.title !== "Pipeline"), name: (run) => run.run_id })));
}

function Tab({ dagId }) {
  const answer = useAnswer("me");
  const [database, pipeline] = (dagId ?? "").split(".");
  return h(Box, { id: "pgtend", p: 3 }, h(Answer, { of: answer, lines: 2 }, (who) =>
    who.databases[database] && pipeline
      ? h(Tended, { database, pipeline })
      : h(Nothing, null, "This is not a pipeline of one database that pgtend tends. ", h(To, { to: "/plugin/pgtend" }, "All databases"))));
}

globalThis.Database = Tab;
globalThis.AirflowPlugin = Tab;
