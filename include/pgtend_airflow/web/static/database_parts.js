// The tabs of a database, in the order in which people ask: is it safe, what happened, what is slow, what should change.
import { Alerts } from "./alerts.js";
import { Backups } from "./backups.js";
import { Pipelines, Runs } from "./runs.js";
import { Statements } from "./statements.js";

export const PARTS = [
  { key: "overview", title: "Overview", role: "viewer", component: Pipelines },
  { key: "backups", title: "Backups", role: "viewer", component: Backups },
  { key: "statements", title: "Statements", role: "researcher", component: Statements },
  { key: "runs", title: "Runs", role: "viewer", component: Runs },
  { key: "alerts", title: "Alerts", role: "viewer", component: Alerts },
];
