// What is broken, what was, and the button that says "I am on it".
import { useList } from "./api.js";
import { may } from "./rights.js";
import { Hint, insideAirflow, Moment, To } from "./look.js";
import { Act, Choice, ListOf, Section } from "./parts.js";
import { exact, sentence } from "./words.js";

const { createElement: h, Fragment, useState } = globalThis.React;
const { Badge, Code, Text } = globalThis.ChakraUI;

const FIELDS = [
  { key: "hours", kind: "number", title: "Pause the reminders for so many hours", value: 24, min: 1, max: 168, help: "A week at most. Another trouble of the same pipeline ends the pause." },
  { key: "note", kind: "text", title: "What should colleagues know?", value: "", placeholder: "Looking at it; the disk is being enlarged." },
];

function What({ alert }) {
  return h(Fragment, null,
    h(Text, { fontWeight: "medium" }, sentence(alert.message)),
    alert.hint && h(Text, { fontSize: "sm", color: "fg.muted" }, h(Hint, { text: alert.hint })),
    h(Text, { fontSize: "xs" }, h(Code, { size: "sm" }, alert.code), alert.run_url && h(Fragment, null, " ", h(To, { to: insideAirflow(alert.run_url) }, "the run"))));
}

function State({ alert }) {
  if (alert.recovered_at) return h(Badge, { colorPalette: "green", variant: "subtle" }, "recovered");
  if (alert.acknowledged_until && new Date(alert.acknowledged_until) > new Date()) {
    return h(Fragment, null, h(Badge, { colorPalette: "yellow", variant: "subtle" }, "acknowledged"),
      h(Text, { fontSize: "xs", color: "fg.muted" }, `by ${alert.acknowledged_by.replace("airflow:", "")}, until ${exact(alert.acknowledged_until)}`),
      alert.note && h(Text, { fontSize: "xs" }, `“${alert.note}”`));
  }
  return h(Badge, { colorPalette: "red", variant: "subtle" }, alert.severity === "page" ? "open, pages" : "open");
}

const whom = (alert) => (alert.concerns.length ? h(Fragment, null, alert.concerns.map((name, nth) => h(Fragment, { key: name }, nth > 0 && ", ", h(To, { to: `/plugin/pgtend/${name}/alerts` }, name)))) : alert.database === "fleet" ? "the fleet" : h(To, { to: `/plugin/pgtend/${alert.database}/alerts` }, alert.database));

/** The alerts of one database, or without one of all that may be seen. */
export function Alerts({ database = "", who, again }) {
  const [open, setOpen] = useState("true");
  const list = useList(`alerts?database=${database}&open=${open}`);
  const after = () => {
    list.again();
    again?.();
  };
  const button = (alert) => !alert.recovered_at && may(who, alert.database === "fleet" ? "" : alert.database, "operator") && h(Act, {
    label: "Acknowledge", title: "Say that you are on it", says: sentence(alert.message), fields: FIELDS, after, size: "xs",
    path: `databases/${alert.database}/alerts/${alert.alert_id}/acknowledge`, body: (form) => form, done: () => h(Text, null, "Acknowledged: your colleagues see it, and reminders pause."),
  });
  const columns = [
    { title: "State", of: (alert) => h(State, { alert }) },
    { title: "Since", of: (alert) => h(Moment, { at: alert.opened_at }) },
    ...(database ? [] : [{ title: "Whom", of: whom }]),
    { title: "Pipeline", of: (alert) => alert.pipeline },
    { title: "What", wide: true, of: (alert) => h(What, { alert }) },
    { title: "Failed", end: true, of: (alert) => `${alert.times_failed}×` },
    { title: "Act", of: button },
  ];
  return h(Section, { title: "Alerts", says: "One message when it breaks, one when it recovers, and reminders in between.", aside: h(Choice, { label: "Show", value: open, onChange: setOpen, options: [["true", "open"], ["false", "all"]] }) },
    h(ListOf, { list, caption: "alerts", columns, name: (alert) => alert.alert_id, empty: open === "true" ? "Nothing is open." : "There never was an alert." }));
}
