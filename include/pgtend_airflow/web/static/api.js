// Talks to our API. The login is Airflow's own cookie; a write also carries the token that only this page can read.
const { useCallback, useEffect, useRef, useState } = globalThis.React;

const API = new URL("../api/v1/", import.meta.url);

export class ApiProblem extends Error {
  constructor(status, problem) {
    super(problem.title ?? `the API answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.detail = problem.detail ?? "";
    this.hint = problem.hint ?? "";
  }
}

async function call(path, init) {
  let answer;
  try {
    answer = await fetch(new URL(path, API), { credentials: "same-origin", ...init });
  } catch {
    throw new ApiProblem(0, { title: "Airflow does not answer", hint: "Look at the network, then load the page again." });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiProblem(answer.status, body);
  return body;
}

export const get = (path) => call(path);

let whoAmI;
/** Who is logged in; asked once for all pages. */
export function me() {
  whoAmI ??= get("me").catch((problem) => {
    whoAmI = undefined;
    throw problem;
  });
  return whoAmI;
}

export async function post(path, body) {
  const send = async () => {
    const { token } = await me();
    const headers = { "Content-Type": "application/json", "X-Pgtend-Token": token };
    return call(path, { method: "POST", headers, body: JSON.stringify(body) });
  };
  try {
    return await send();
  } catch (problem) {
    // A page that was open over night has yesterday's token.
    if (problem.code !== "web.forged") throw problem;
    whoAmI = undefined;
    return send();
  }
}

/** Reads one address, and again every so often while somebody looks. */
export function useAnswer(path, { every = 0 } = {}) {
  const [state, setState] = useState({ data: undefined, problem: undefined, at: undefined });
  const wanted = useRef(path);
  wanted.current = path;
  const read = useCallback(async () => {
    if (!path) return;
    try {
      const data = await get(path);
      if (wanted.current === path) setState({ data, problem: undefined, at: new Date() });
    } catch (problem) {
      if (wanted.current === path) setState((before) => ({ ...before, problem }));
    }
  }, [path]);
  useEffect(() => {
    setState({ data: undefined, problem: undefined, at: undefined });
    read();
    if (!every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && read(), every * 1000);
    return () => clearInterval(timer);
  }, [read, every]);
  return { ...state, again: read };
}

export function useMe() {
  const [who, setWho] = useState();
  useEffect(() => {
    let wanted = true;
    me().then((found) => wanted && setWho(found), () => undefined);
    return () => {
      wanted = false;
    };
  }, []);
  return who;
}

/** Reads a list page by page. */
export function useList(path) {
  const [state, setState] = useState({ items: undefined, next: "", problem: undefined });
  const wanted = useRef(path);
  wanted.current = path;
  const read = useCallback(
    async (before) => {
      const joint = path.includes("?") ? "&" : "?";
      try {
        const page = await get(before ? `${path}${joint}before=${encodeURIComponent(before)}` : path);
        if (wanted.current !== path) return;
        setState((known) => ({ items: [...(before ? known.items : []), ...page.items], next: page.next }));
      } catch (problem) {
        if (wanted.current === path) setState((known) => ({ ...known, problem }));
      }
    },
    [path],
  );
  useEffect(() => {
    setState({ items: undefined, next: "", problem: undefined });
    read("");
  }, [read]);
  return { ...state, more: () => read(state.next), again: () => read("") };
}
