// Asks the same REST API that clients use.

/** @typedef {{key: string, value: string}} Tag */
/** @typedef {{key: string, value: number | string, step: number, timestamp: number, run_id?: string}} Point */
/** @typedef {{info: {run_id: string, run_name: string, experiment_id: string, status: string, start_time: number, end_time?: number, lifecycle_stage: string, user_id?: string},
 *   data: {metrics?: Point[], params?: Tag[], tags?: Tag[]}}} Run */

/** ask calls a path below /ajax-api/2.0/. @param {string} method @param {string} path @param {any} [body] @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function ask(method, path, body, signal) {
  const res = await fetch("/ajax-api/2.0/" + path, {
    method, signal, headers: body === undefined ? {} : { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await res.text();
  let out;
  try {
    out = JSON.parse(text);
  } catch {
    out = { message: text };
  }
  if (!res.ok) throw new Error(out.message || `${path} answered status ${res.status}`);
  return out;
}

/** @param {string} path @param {Record<string, any>} query @param {AbortSignal} [signal] */
export function get(path, query, signal) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) for (const x of Array.isArray(v) ? v : [v]) q.append(k, x);
  return ask("GET", `mlflow/${path}?${q}`, undefined, signal);
}

/** @param {string} path @param {any} body @param {AbortSignal} [signal] */
export const post = (path, body, signal) => ask("POST", "mlflow/" + path, body, signal);

/** windowOf reads a part of a search's runs. @param {any} body @param {AbortSignal} [signal] @returns {Promise<{total: number, runs: Run[], children?: Record<string, number>}>} */
export const windowOf = (body, signal) => ask("POST", "millpond/runs/window", body, signal);

/** runsById reads runs of some experiments, in the order of the ids. @param {string[]} experiments @param {string[]} ids @returns {Promise<Run[]>} */
export async function runsById(experiments, ids) {
  if (!ids.length) return [];
  const filter = `attributes.run_id IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(", ")})`;
  const { runs } = await windowOf({ experiment_ids: experiments, filter, max_results: ids.length, run_view_type: "ALL" });
  const by = new Map(runs.map((r) => [r.info.run_id, r]));
  return ids.flatMap((id) => by.get(id) ?? []);
}

/** history samples a metric's points, in order of steps. @param {string} run @param {string} key @param {number} [most] @returns {Promise<Point[]>} */
export async function history(run, key, most = 1000) {
  const out = await get("metrics/get-history-bulk-interval", { run_ids: run, metric_key: key, max_results: most });
  return out.metrics ?? [];
}

/** listen calls back with the ids of an experiment's runs that changed. It is silent while the page is hidden, and says "many" when it is back. @param {string} experiment @param {(runs: string[], many: boolean) => void} changed */
export function listen(experiment, changed) {
  /** @type {EventSource | null} */
  let source = null;
  const open = () => {
    source = new EventSource(`/ajax-api/2.0/millpond/experiments/${experiment}/changes`);
    source.onmessage = (e) => {
      const { runs, many } = JSON.parse(e.data);
      changed(runs, !!many);
    };
  };
  const turn = () => {
    // A browser opens six connections to a server: a hidden page must not hold one.
    if (document.hidden) source?.close(), (source = null);
    else if (!source) open(), changed([], true);
  };
  document.addEventListener("visibilitychange", turn);
  if (!document.hidden) open();
  return () => (document.removeEventListener("visibilitychange", turn), source?.close());
}

/** @param {Run} run @param {string} key */
export const tagOf = (run, key) => run.data.tags?.find((t) => t.key === key)?.value;
/** @param {Run} run @param {string} key */
export const paramOf = (run, key) => run.data.params?.find((t) => t.key === key)?.value;
/** metricOf is NaN where the metric is missing or no number. @param {Run} run @param {string} key */
export function metricOf(run, key) {
  const m = run.data.metrics?.find((x) => x.key === key);
  return m === undefined ? undefined : Number(m.value);
}
/** @param {Run} run */
export const runURL = (run) => `/experiments/${run.info.experiment_id}/runs/${encodeURIComponent(run.info.run_id)}`;
