// The page in Airflow's navigation: the fleet, or below its address one database.
import { DatabasePage } from "./database.js";
import { FleetPage } from "./fleet.js";
import { FLEET_PAGES } from "./fleet_pages.js";

const { createElement: h, useEffect } = globalThis.React;
const { Box } = globalThis.ChakraUI;
const { useLocation } = globalThis.ReactRouterDOM;

function Databases() {
  const [, database, part] = /\/plugin\/pgtend\/([a-z0-9_-]+)(?:\/([a-z-]+))?/.exec(useLocation().pathname) ?? [];
  const ofFleet = database === "fleet" ? FLEET_PAGES[part] : undefined;
  useEffect(() => {
    document.title = database ? `${database} ${part ?? ""} - pgtend`.replace("  ", " ") : "Databases - pgtend";
  }, [database, part]);
  return h(Box, { id: "pgtend", p: { base: 3, md: 5 }, maxW: "110rem", mx: "auto", width: "100%" },
    ofFleet ? h(ofFleet) : database && database !== "fleet" ? h(DatabasePage, { key: database, database, part }) : h(FleetPage));
}

globalThis.Databases = Databases;
globalThis.AirflowPlugin = Databases;
