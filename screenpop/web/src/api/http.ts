/** Requests to the REST API: JSON, a deadline on each, and problems as values that say what went wrong. */

const DEADLINE_MS = 15_000;

/** One thing that is wrong with what was sent; `at` is a path such as `$.phones[0].number`. */
export interface Fault {
  at: string;
  detail: string;
}

/** What the server refused and why (RFC 9457), or status 0 when it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | null = null,
    readonly errors: Fault[] = [],
  ) {
    super(detail ?? title);
  }
}

/** How far the server's clock is ahead of this machine's, in milliseconds; timers need the server's. */
export const clock = { skewMs: 0 };

/** Milliseconds since 1970 by the server's clock: what is counted on a page is counted from the server's times. */
export const serverNow = (): number => Date.now() + clock.skewMs;

/** Called when the server says that the session is over. */
export const session = { onOver: (): void => undefined };

type Query = Record<string, string | number | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  /** Let the request outlive the page: the last words of a note. */
  keepalive?: boolean;
  /** A 401 is an answer here, not the end of a session. */
  mayBeSignedOut?: boolean;
}

/** Send a request; the answer's JSON, or undefined where there is none. Throws `Problem` and nothing else. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-Callcenter"] = "1";
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  const asked = Date.now();
  try {
    response = await fetch(`/api/v1${path}${queryText(options.query)}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      credentials: "same-origin",
      cache: "no-store",
      keepalive: options.keepalive ?? false,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch {
    throw new Problem(0, "unreachable");
  }
  noteClock(response, asked);
  if (response.ok) return (await body(response)) as T;
  const problem = await readProblem(response);
  if (problem.status === 401 && !options.mayBeSignedOut) session.onOver();
  throw problem;
}

function queryText(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);
  if (pairs.length === 0) return "";
  return `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

async function body(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => "");
  if (!text) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Problem(response.status, "unreadable");
  }
}

async function readProblem(response: Response): Promise<Problem> {
  const said = (await body(response).catch(() => undefined)) as
    | { title?: unknown; detail?: unknown; errors?: unknown }
    | undefined;
  return new Problem(
    response.status,
    typeof said?.title === "string" ? said.title : response.statusText,
    typeof said?.detail === "string" ? said.detail : null,
    Array.isArray(said?.errors) ? (said.errors as Fault[]) : [],
  );
}

/** HTTP dates have whole seconds: half a second is added on average, and small differences are noise. */
function noteClock(response: Response, asked: number): void {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  const skew = date + 500 - (asked + Date.now()) / 2;
  clock.skewMs = Math.abs(skew) < 1_500 ? 0 : skew;
}
