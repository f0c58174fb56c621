/** What the desk asks of the REST API beyond calls and customers; each function throws `Problem`. */
import { request } from "./http";
import type { CallRecord, Customer } from "./types";

/** An entry of a list that agents choose from; `names` by language. */
export interface Word {
  code: string;
  names: Record<string, string>;
  place: number;
  active: boolean;
}

export interface PauseReason extends Word {
  budget_s: number | null;
}

export type OutcomeKind = "success" | "callback" | "failure" | "no_contact" | "other";

export interface Outcome extends Word {
  kind: OutcomeKind;
}

export interface FieldDefinition extends Word {
  kind: "text" | "number" | "date" | "choice";
  choices: string[];
}

export interface Missed {
  number: string;
  name: string | null;
  customer_id: string | null;
  customer: string | null;
  calls: number;
  last_call_id: string;
  last_at: string;
  queue: string | null;
  voicemail: boolean;
  in_hand: boolean;
  in_hand_by: string | null;
}

export interface Callback {
  id: string;
  number: string;
  customer_id: string | null;
  customer: string | null;
  agent: string | null;
  due_at: string;
  note: string;
  call_id: string | null;
  created_by: string;
  done_at: string | null;
  done_by: string | null;
  done_call_id: string | null;
}

export interface CallbackDraft {
  number: string;
  due_at: string;
  agent: string | null;
  customer_id: string | null;
  call_id: string | null;
  note: string;
}

export interface Found {
  number: string | null;
  customers: Customer[];
  calls: CallRecord[];
}

interface List<T> {
  items: T[];
}

const enc = encodeURIComponent;

export const listPauseReasons = (): Promise<List<PauseReason>> => request("GET", "/pause-reasons");
export const listOutcomes = (): Promise<List<Outcome>> => request("GET", "/outcomes");
export const listFields = (): Promise<List<FieldDefinition>> => request("GET", "/customer-fields");

export const pause = (reason: string): Promise<unknown> => request("POST", "/session/pause", { body: { reason } });
export const beReady = (): Promise<unknown> => request("POST", "/session/ready");
export const extendWrapup = (seconds: number): Promise<unknown> =>
  request("POST", "/session/wrapup", { body: { seconds } });
export const logIntoQueues = (loggedIn: boolean): Promise<unknown> =>
  request("PUT", "/session/queues", { body: { logged_in: loggedIn } });

export const saveOutcome = (callId: string, outcome: string | null): Promise<unknown> =>
  request("PUT", `/calls/${enc(callId)}/outcome`, { body: { outcome } });

export const listMissed = (agent: string | null): Promise<List<Missed>> =>
  request("GET", "/missed", { query: { agent } });
export const settleMissed = (number: string): Promise<void> =>
  request("POST", "/missed/settle", { body: { number } });

export const listCallbacks = (query: { agent?: string; customer?: string }): Promise<List<Callback>> =>
  request("GET", "/callbacks", { query });
export const makeCallback = (draft: CallbackDraft): Promise<Callback> =>
  request("POST", "/callbacks", { body: draft });
export const finishCallback = (id: string): Promise<Callback> => request("POST", `/callbacks/${enc(id)}/done`);

export const findAnything = (q: string): Promise<Found> => request("GET", "/search", { query: { q } });
