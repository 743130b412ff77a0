// How numbers, moments and spans are said. Everything is UTC, as in Airflow's own logs and in the ledger.
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function bytes(amount) {
  if (amount === null || amount === undefined) return "–";
  let left = Math.abs(amount);
  let unit = 0;
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || left >= 100 ? 0 : 1;
  return `${amount < 0 ? "−" : ""}${left.toFixed(digits)} ${UNITS[unit]}`;
}

export function count(amount) {
  return amount === null || amount === undefined ? "–" : new Intl.NumberFormat("en").format(amount);
}

/** How many there are of a thing, as people say it: 1 day, 2,000 indexes. */
export function counted(amount, thing) {
  const many = /[^aeiou]y$/.test(thing) ? `${thing.slice(0, -1)}ies` : `${thing}${/(x|s|ch|sh)$/.test(thing) ? "es" : "s"}`;
  return `${count(amount)} ${amount === 1 ? thing : many}`;
}

export function number(amount, digits = 1) {
  if (amount === null || amount === undefined) return "–";
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(amount);
}

/** Reads the duration of ISO 8601 that the API gives: PT1M3.5S, P1DT2H. */
export function seconds(duration) {
  if (typeof duration === "number") return duration;
  const found = /^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/.exec(duration ?? "");
  if (!found) return undefined;
  const [, sign, y = 0, mo = 0, d = 0, h = 0, m = 0, s = 0] = found;
  const total = +y * 31536000 + +mo * 2592000 + +d * 86400 + +h * 3600 + +m * 60 + +s;
  return sign ? -total : total;
}

export function span(duration) {
  const all = seconds(duration);
  if (all === undefined) return "–";
  if (all < 1) return `${number(all * 1000, Math.abs(all) < 0.01 ? 2 : 0)} ms`;
  if (all < 60) return `${all.toFixed(all < 10 ? 1 : 0)} s`;
  const parts = [
    [Math.floor(all / 86400), "d"],
    [Math.floor((all % 86400) / 3600), "h"],
    [Math.floor((all % 3600) / 60), "min"],
    [Math.round(all % 60), "s"],
  ];
  const from = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(from, from + 2).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

export function ago(moment, now = Date.now()) {
  const passed = (now - new Date(moment).getTime()) / 1000;
  if (passed < 0) return `in ${span(-passed)}`;
  if (passed < 5) return "just now";
  return `${span(passed < 60 ? Math.round(passed) : passed - (passed % 60))} ago`;
}

export function exact(moment) {
  return `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function day(moment) {
  return new Date(moment).toISOString().slice(0, 10);
}

export function sentence(text) {
  if (!text) return "";
  const first = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
