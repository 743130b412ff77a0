// Who may what: a button is shown only to those who may press it. The API decides again, of course.
const LEVEL = { nobody: 0, viewer: 1, researcher: 2, operator: 3, admin: 4 };

export const may = (who, database, role) => LEVEL[(database ? who?.databases?.[database] : who?.role) ?? "nobody"] >= LEVEL[role];
