// The parts all our pages are made of: sections, lists that fit a phone, problems that say what to do, buttons that ask.
import { post } from "./api.js";
import { Hint } from "./look.js";
import { sentence } from "./words.js";

const { createElement: h, Fragment, useId, useState } = globalThis.React;
const {
  Alert, Box, Button, CloseButton, Code, Dialog, Field, Flex, Heading, HStack, Input, Link: Anchor, NativeSelect, Portal, Skeleton, Stack,
  Switch, Table, Text, Textarea,
} = globalThis.ChakraUI;
const { Link: RouterLink } = globalThis.ReactRouterDOM;

export function Section({ title, says, aside, children, level = "h2" }) {
  const name = useId();
  return h(Box, { as: "section", "aria-labelledby": name, borderWidth: 1, borderColor: "border", borderRadius: "lg", bg: "bg", p: { base: 3, md: 5 } },
    h(Flex, { justify: "space-between", align: "start", gap: 3, mb: says || children ? 3 : 0, wrap: "wrap" },
      h(Box, null,
        h(Heading, { as: level, id: name, size: "md" }, title),
        says && h(Text, { fontSize: "sm", color: "fg.muted", mt: 1, maxW: "75ch" }, says)),
      aside),
    children);
}

export function ProblemNote({ problem, again }) {
  return h(Alert.Root, { status: "error", borderRadius: "md", role: "alert" },
    h(Alert.Indicator),
    h(Alert.Content, null,
      h(Alert.Title, null, sentence(problem.message)),
      h(Alert.Description, null,
        problem.detail && h(Text, { fontSize: "sm" }, problem.detail),
        problem.hint && h(Text, { fontSize: "sm" }, h(Hint, { text: problem.hint })),
        problem.code && h(Code, { size: "sm", mt: 1 }, problem.code))),
    again && h(Button, { size: "sm", variant: "outline", onClick: again }, "Try again"));
}

export function Waiting({ lines = 4 }) {
  return h(Stack, { gap: 2, "aria-busy": true, "aria-label": "loading" }, [...Array(lines).keys()].map((line) => h(Skeleton, { key: line, height: "28px" })));
}

/** Shows an answer: its bones while it is awaited, what went wrong, or what came. */
export function Answer({ of, children, lines }) {
  if (of.problem && !of.data) return h(ProblemNote, { problem: of.problem, again: of.again });
  if (!of.data) return h(Waiting, { lines });
  return h(Fragment, null, of.problem && h(ProblemNote, { problem: of.problem, again: of.again }), children(of.data));
}

export function Nothing({ children }) {
  return h(Text, { color: "fg.muted", fontSize: "sm", py: 2 }, children);
}

/** A list: a table where there is room, and a card for each row on a phone. Columns: {title, of, end, main, wide}. */
export function List({ caption, columns, rows, name, empty = "Nothing here yet." }) {
  if (!rows.length) return h(Nothing, null, empty);
  const head = columns.map((column) => h(Table.ColumnHeader, { key: column.title, textAlign: column.end ? "end" : "start", whiteSpace: "nowrap" }, column.title));
  const line = (row) => columns.map((column) =>
    h(Table.Cell, { key: column.title, textAlign: column.end ? "end" : "start", verticalAlign: "top", fontVariantNumeric: "tabular-nums", minW: column.wide ? "16rem" : undefined, whiteSpace: column.end ? "nowrap" : undefined, overflowWrap: "anywhere" }, column.of(row)));
  return h(Fragment, null,
    h(Box, { display: { base: "none", md: "block" }, overflowX: "auto", tabIndex: 0, role: "region", "aria-label": caption },
      h(Table.Root, { size: "sm" },
        h(Table.Header, null, h(Table.Row, { bg: "transparent" }, head)),
        h(Table.Body, null, rows.map((row) => h(Table.Row, { key: name(row), bg: "transparent" }, line(row)))))),
    h(Stack, { display: { base: "flex", md: "none" }, as: "ul", listStyleType: "none", gap: 2, "aria-label": caption },
      rows.map((row) => h(Box, { as: "li", key: name(row), borderWidth: 1, borderColor: "border", borderRadius: "md", p: 3 },
        columns.map((column) => h(Flex, { key: column.title, gap: column.wide ? 0 : 3, direction: column.wide ? "column" : "row", justify: "space-between", fontSize: "sm", py: "2px" },
          h(Text, { color: "fg.muted", flexShrink: 0 }, column.title),
          h(Box, { textAlign: column.wide ? "start" : "end", minW: 0, overflowWrap: "anywhere" }, column.of(row))))))));
}

export function More({ list }) {
  if (!list.next) return null;
  return h(Button, { size: "sm", variant: "outline", mt: 3, onClick: list.more }, "Show more");
}

export function ListOf({ list, ...rest }) {
  if (list.problem && !list.items) return h(ProblemNote, { problem: list.problem, again: list.again });
  if (!list.items) return h(Waiting, {});
  return h(Fragment, null, h(List, { ...rest, rows: list.items }), h(More, { list }));
}

export function ButtonLink({ to, children, ...rest }) {
  return h(Button, { asChild: true, size: "sm", variant: "outline", ...rest }, h(RouterLink, { to }, children));
}

export function Choice({ label, value, onChange, options }) {
  const name = useId();
  return h(HStack, { gap: 2 },
    h("label", { htmlFor: name, style: { fontSize: "0.85rem" } }, label),
    h(NativeSelect.Root, { size: "xs", width: "auto" },
      h(NativeSelect.Field, { id: name, value, onChange: (event) => onChange(event.target.value) },
        options.map(([key, said]) => h("option", { key, value: key }, said))),
      h(NativeSelect.Indicator)));
}

function Entry({ field, value, onChange }) {
  if (field.kind === "switch") {
    return h(Switch.Root, { checked: Boolean(value), onCheckedChange: (change) => onChange(change.checked) },
      h(Switch.HiddenInput), h(Switch.Control, null, h(Switch.Thumb)), h(Switch.Label, null, field.title));
  }
  if (field.kind === "choice") {
    return h(Field.Root, null, h(Field.Label, null, field.title),
      h(NativeSelect.Root, null, h(NativeSelect.Field, { value, onChange: (event) => onChange(event.target.value) }, field.options.map(([key, said]) => h("option", { key, value: key }, said))), h(NativeSelect.Indicator)));
  }
  const entry = field.kind === "text" ? Textarea : Input;
  return h(Field.Root, null,
    h(Field.Label, null, field.title),
    h(entry, { value: value ?? "", type: field.kind === "number" ? "number" : undefined, min: field.min, max: field.max, placeholder: field.placeholder, onChange: (event) => onChange(field.kind === "number" ? Number(event.target.value) : event.target.value) }),
    field.help && h(Field.HelperText, null, field.help));
}

/** A button that says what will happen, asks for what it needs, does it, and says what came of it. */
export function Act({ label, title, says, fields = [], path, body, done, after, palette, ...rest }) {
  const [isOpen, setOpen] = useState(false);
  const [values, setValues] = useState({});
  const [state, setState] = useState({});
  const filled = Object.fromEntries(fields.map((field) => [field.key, values[field.key] ?? field.value]));
  const act = async () => {
    setState({ isBusy: true });
    try {
      const came = await post(path, body(filled));
      setState({ came });
      after?.(came);
    } catch (problem) {
      setState({ problem });
    }
  };
  const change = ({ open }) => {
    setOpen(open);
    setState({});
  };
  return h(Dialog.Root, { open: isOpen, onOpenChange: change, placement: "center", role: "alertdialog" },
    h(Dialog.Trigger, { asChild: true }, h(Button, { size: "sm", variant: "outline", colorPalette: palette, ...rest }, label)),
    h(Portal, null,
      h(Dialog.Backdrop),
      h(Dialog.Positioner, null,
        h(Dialog.Content, { mx: 3 },
          h(Dialog.Header, null, h(Dialog.Title, null, title)),
          h(Dialog.Body, null,
            h(Stack, { gap: 4 },
              h(Text, null, says),
              !state.came && fields.map((field) => h(Entry, { key: field.key, field, value: filled[field.key], onChange: (value) => setValues({ ...values, [field.key]: value }) })),
              state.problem && h(ProblemNote, { problem: state.problem }),
              state.came && h(Alert.Root, { status: "success", role: "status" }, h(Alert.Indicator), h(Alert.Content, null, done(state.came))))),
          h(Dialog.Footer, null,
            h(Button, { variant: "outline", onClick: () => change({ open: false }) }, state.came ? "Close" : "Cancel"),
            !state.came && h(Button, { colorPalette: palette ?? "brand", loading: state.isBusy, onClick: act }, label)),
          h(Dialog.CloseTrigger, { asChild: true }, h(CloseButton, { size: "sm", "aria-label": "Close" }))))));
}

export { Anchor };
