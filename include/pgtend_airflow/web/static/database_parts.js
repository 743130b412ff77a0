// The tabs of a database, in the order in which people ask: is it safe, what happened, what is slow, what should change.
import { Alerts } from "./alerts.js";
import { Backups } from "./backups.js";
import { Archive, Indexes } from "./care.js";
import { Drills } from "./drills.js";
import { Health, Tables } from "./health.js";
import { Pipelines, Runs } from "./runs.js";
import { Statements } from "./statements.js";

export const PARTS = [
  { key: "overview", title: "Overview", role: "viewer", component: Pipelines },
  { key: "backups", title: "Backups", role: "viewer", component: Backups },
  { key: "drills", title: "Drills", role: "viewer", component: Drills },
  { key: "health", title: "Health", role: "viewer", component: Health },
  { key: "tables", title: "Tables", role: "researcher", component: Tables },
  { key: "statements", title: "Statements", role: "researcher", component: Statements },
  { key: "indexes", title: "Indexes", role: "viewer", component: Indexes },
  { key: "archive", title: "Archive", role: "viewer", component: Archive },
  { key: "runs", title: "Runs", role: "viewer", component: Runs },
  { key: "alerts", title: "Alerts", role: "viewer", component: Alerts },
];
