// The first page: are we safe, and if not, which database needs somebody, and why.
import { useAnswer, useMe } from "./api.js";
import { Away, Light, LIGHTS, place, To } from "./look.js";
import { Answer } from "./parts.js";
import { counted, sentence } from "./words.js";

const { createElement: h } = globalThis.React;
const { Box, Button, Flex, Heading, HStack, Popover, Portal, Stack, Table, Text } = globalThis.ChakraUI;

const EVERY = 30;

export function Leads({ link, runbooks }) {
  const found = place(link, runbooks);
  if (!found) return null;
  if (found.to) return h(To, { to: found.to }, found.says);
  return found.href ? h(Away, { href: found.href }, found.says) : h(Text, { fontSize: "sm" }, found.says);
}

function CellButton({ cell, column, database, runbooks }) {
  return h(Popover.Root, { lazyMount: true, positioning: { placement: "bottom-start" } },
    h(Popover.Trigger, { asChild: true },
      h(Button, { variant: "ghost", size: "sm", px: 2, mx: -2, fontWeight: "normal", height: "auto", minH: 8, py: 1, whiteSpace: "normal", textAlign: "start", justifyContent: "start", alignItems: "start" },
        h(Light, { light: cell.light, mt: "2px", label: `${database}, ${column.title}, ${LIGHTS[cell.light].word}: ` }), cell.says)),
    h(Portal, null, h(Popover.Positioner, null, h(Popover.Content, { maxW: "min(24rem, 90vw)" },
      h(Popover.Arrow),
      h(Popover.Body, null, h(Stack, { gap: 2 },
        h(Popover.Title, { fontWeight: "semibold" }, h(HStack, null, h(Light, { light: cell.light }), `${column.title}: ${cell.says}`)),
        h(Text, { fontSize: "sm" }, sentence(cell.why)),
        h(Text, { fontSize: "xs", color: "fg.muted" }, column.meaning),
        h(Leads, { link: cell.link, runbooks })))))));
}

function Wide({ seen, runbooks }) {
  return h(Box, { display: { base: "none", lg: "block" }, overflowX: "auto", borderWidth: 1, borderColor: "border", borderRadius: "lg", bg: "bg", tabIndex: 0, role: "region", "aria-label": "databases" },
    h(Table.Root, { size: "sm" },
      h(Table.Header, null, h(Table.Row, { bg: "transparent" },
        h(Table.ColumnHeader, { ps: 5 }, "Database"),
        seen.columns.map((column) => h(Table.ColumnHeader, { key: column.key, title: column.meaning, whiteSpace: "nowrap" }, column.title)))),
      h(Table.Body, null, seen.rows.map((row) => h(Table.Row, { key: row.database, bg: "transparent", "data-database": row.database },
        h(Table.Cell, { ps: 5, borderInlineStartWidth: 4, borderInlineStartColor: `${LIGHTS[row.light].palette}.solid` },
          h(To, { to: `/plugin/pgtend/${row.database}`, fontWeight: "semibold" }, row.database),
          h(Text, { fontSize: "xs", color: "fg.muted" }, row.owner)),
        seen.columns.map((column) => h(Table.Cell, { key: column.key, verticalAlign: "top" },
          h(CellButton, { cell: row.cells[column.key], column, database: row.database, runbooks }))))))));
}

function Narrow({ seen, runbooks }) {
  return h(Stack, { display: { base: "flex", lg: "none" }, as: "ul", listStyleType: "none", gap: 3 }, seen.rows.map((row) =>
    h(Box, { as: "li", key: row.database, borderWidth: 1, borderColor: "border", borderInlineStartWidth: 4, borderInlineStartColor: `${LIGHTS[row.light].palette}.solid`, borderRadius: "lg", p: 3, bg: "bg" },
      h(Flex, { justify: "space-between", mb: 2 },
        h(To, { to: `/plugin/pgtend/${row.database}`, fontWeight: "semibold" }, row.database),
        h(Text, { fontSize: "xs", color: "fg.muted" }, row.owner)),
      h(Stack, { gap: 1 }, seen.columns.map((column) => {
        const cell = row.cells[column.key];
        return h(Box, { key: column.key, fontSize: "sm" },
          h(HStack, { justify: "space-between", align: "start" },
            h(Text, { color: "fg.muted", flexShrink: 0 }, column.title),
            h(HStack, { gap: 1.5, textAlign: "end" }, h(Text, null, cell.says), h(Light, { light: cell.light }))),
          cell.light !== "good" && h(Text, { fontSize: "xs", color: "fg.muted", mt: 0.5, mb: 1 }, sentence(cell.why), " ", h(Leads, { link: cell.link, runbooks })));
      })))));
}

export function Verdict({ seen, at }) {
  const of = (light) => seen.rows.filter((row) => row.light === light).length;
  const told = ["bad", "unknown", "watch", "good"].filter((light) => of(light) > 0);
  return h(Flex, { gap: { base: 3, md: 4 }, align: "center", wrap: "wrap", role: "status", borderRadius: "lg", borderWidth: 1, borderColor: `${LIGHTS[seen.light].palette}.muted`, bg: { base: `${LIGHTS[seen.light].palette}.subtle`, _dark: "bg" }, borderInlineStartWidth: { _dark: 6 }, borderInlineStartColor: `${LIGHTS[seen.light].palette}.solid`, p: { base: 3, md: 4 } },
    h(Light, { light: seen.light, size: 9, label: "" }),
    h(Box, { flex: 1, minW: "11rem" },
      h(Text, { fontSize: { base: "lg", md: "xl" }, fontWeight: "semibold", color: "fg" }, seen.says),
      h(Text, { fontSize: "sm", color: "fg.muted" }, `${counted(seen.rows.length, "database")} of ${seen.fleet} (${seen.environment})`, at && `, as of ${at.toISOString().slice(11, 19)} UTC`)),
    h(HStack, { gap: 4 }, told.map((light) => h(HStack, { key: light, gap: 1.5 }, h(Light, { light, label: `${LIGHTS[light].word}: ` }), h(Text, { fontSize: "sm", color: "fg", fontVariantNumeric: "tabular-nums" }, of(light))))));
}

export function FleetPage() {
  const answer = useAnswer("fleet", { every: EVERY });
  const who = useMe();
  return h(Stack, { gap: 4 },
    h(Flex, { justify: "space-between", align: "end", gap: 3, wrap: "wrap" },
      h(Heading, { as: "h1", size: "xl" }, "Databases"),
      h(HStack, { gap: 4, fontSize: "sm" }, h(To, { to: "/plugin/pgtend/fleet/alerts" }, "All alerts"), h(To, { to: "/plugin/pgtend/fleet/api" }, "API"))),
    h(Answer, { of: answer, lines: 7 }, (seen) => h(Stack, { gap: 4 },
      h(Verdict, { seen, at: answer.at }),
      h(Wide, { seen, runbooks: who?.runbooks }),
      h(Narrow, { seen, runbooks: who?.runbooks }))));
}
