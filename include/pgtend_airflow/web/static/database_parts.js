// The tabs of a database, in the order in which people ask: is it safe, what happened, what is slow, what should change.
import { Alerts } from "./alerts.js";
import { Pipelines, Runs } from "./runs.js";

export const PARTS = [
  { key: "overview", title: "Overview", role: "viewer", component: Pipelines },
  { key: "runs", title: "Runs", role: "viewer", component: Runs },
  { key: "alerts", title: "Alerts", role: "viewer", component: Alerts },
];
