/** Reconciliations, the call log against what the PBX wrote down itself, as the REST API has them. */
import { request } from "./http";

export type Finding = "missing" | "mended" | "different" | "unwritten";
/** What needs a person first: those that are left as they are. */
export const FINDINGS: readonly Finding[] = ["different", "unwritten", "missing", "mended"];

/** One call that is not the same in both; `fields` are those that say something else. */
export interface Item {
  call_id: string;
  started_at: string;
  finding: Finding;
  fields: string[];
}

/** Counts are of all calls, `items` names the first of those that differ. */
export interface Tally extends Record<Finding, number> {
  bad_rows: number;
  first_bad: string | null;
  pbx_calls: number;
  service_calls: number;
  same: number;
  going_on: number;
  failed: number;
  /** Calls of the same time that have a CDR; null where there is no such table. */
  cdr_calls: number | null;
  /** Calls have a CDR and no channel events: CEL is off, since `cel_newest` if it ever was on. */
  cel_silent: boolean;
  cel_newest: string | null;
  items: Item[];
}

export interface Reconciliation {
  reconciliation_id: string;
  pbx: string;
  reason: "gap" | "nightly" | "asked";
  since: string;
  until: string;
  dry_run: boolean;
  started_at: string;
  ended_at: string | null;
  problem: string | null;
  result: Tally;
}

export interface Reconciliations {
  items: Reconciliation[];
  pbxs: string[];
  /** Under way, or the next. */
  current: Reconciliation | null;
  /** By the service's clock; null: never by itself. */
  nightly_at: string | null;
}

export interface Wish {
  pbx: string;
  since: string;
  dry_run: boolean;
}

/** How many calls are not the same in both. */
export const countDiffering = (result: Tally): number => FINDINGS.reduce((sum, one) => sum + result[one], 0);

export const listReconciliations = (limit: number): Promise<Reconciliations> =>
  request("GET", "/reconciliations", { query: { limit } });
export const startReconciliation = (wish: Wish): Promise<{ reconciliation_id: string }> =>
  request("POST", "/reconciliations", { body: wish });
/** One that has no `ended_at` waits or goes on. */
export const getReconciliation = (id: string): Promise<Reconciliation> => request("GET", `/reconciliations/${id}`);
