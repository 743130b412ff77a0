// The backups of a database: which there are, where, why each is kept, and how sure we are of it.
import { useAnswer } from "./api.js";
import { LineChart } from "./charts.js";
import { Moment } from "./look.js";
import { Answer, List, Section } from "./parts.js";
import { bytes, count, day, span } from "./words.js";

const { createElement: h, Fragment } = globalThis.React;
const { Badge, Code, HStack, Text } = globalThis.ChakraUI;

const STATES = {
  PROVEN: ["green", "A drill restored it and found everything identical."],
  VERIFIED: ["teal", "Every stored byte was read back and was what the manifest says."],
  STORED: ["yellow", "Its manifest is in the vault; not every byte was read back."],
  BROKEN: ["red", "A drill restored it, and what came back is not what was there."],
  DAMAGED: ["red", "Something that its manifest names is missing or has another size."],
};

export function State({ state, faults }) {
  const [palette, meaning] = STATES[state] ?? ["gray", ""];
  return h(Fragment, null,
    h(Badge, { colorPalette: palette, variant: "subtle", title: meaning }, state),
    faults && h(Text, { fontSize: "xs", color: "fg.error" }, faults));
}

function gathered(rows) {
  const found = new Map();
  for (const row of rows) {
    const known = found.get(row.backup_id);
    if (known) known.places.push(row);
    else found.set(row.backup_id, { ...row, places: [row] });
  }
  return [...found.values()];
}

const COLUMNS = [
  { title: "Taken", of: (row) => h(Fragment, null, h(Moment, { at: row.taken_at }), h(Text, { fontSize: "xs" }, h(Code, { size: "xs" }, row.backup_id))) },
  { title: "State", of: (row) => h(State, row) },
  { title: "Where", of: (row) => h(HStack, { gap: 1, flexWrap: "wrap" }, row.places.map((place) => h(Badge, { key: place.vault, variant: "outline", colorPalette: STATES[place.state]?.[0], title: `${place.place}, seen as ${place.state}` }, place.vault))) },
  { title: "Rows", end: true, of: (row) => count(row.rows) },
  { title: "Stored", end: true, of: (row) => bytes(row.stored_bytes) },
  { title: "Took", end: true, of: (row) => span(row.took) },
  { title: "Kept", wide: true, of: (row) => h(Fragment, null, row.keep ? (row.keep_until ? `until ${day(row.keep_until)}: ` : "") : "may go: ", row.keep_reason) },
];

export function Backups({ database }) {
  const answer = useAnswer(`databases/${database}/backups`);
  return h(Answer, { of: answer }, (rows) => {
    const own = gathered(rows);
    const points = own.map((row) => ({ at: row.taken_at, value: row.stored_bytes })).reverse();
    return h(Fragment, null,
      h(Section, { title: "Size of the backups", says: "As stored, after compression and sealing." }, h(LineChart, { points, say: bytes, label: "stored bytes of each backup", height: 140 })),
      h(Section, { title: "Backups", says: "As they were when each vault was looked through last. A backup counts when it was read back; it is proven when a drill restored it." },
        h(List, { caption: "backups", columns: COLUMNS, rows: own, name: (row) => row.backup_id, empty: "No vault holds a backup of it, as far as the ledger knows." })));
  });
}
