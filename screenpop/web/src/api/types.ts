/** Values of the REST API and of the screen-pop stream, as JSON carries them. */

export type Language = "en" | "zh-CN" | "zh-TW";

export interface User {
  login: string;
  name: string;
  role: string;
  agent: string;
  language: string | null;
  must_change_password: boolean;
}

export interface Seat {
  pbx: string;
  extension: string;
  interface: string;
}

export interface Session {
  user: User;
  extension: Seat | null;
}

export interface Extension {
  pbx: string;
  extension: string;
  interface: string;
  /** The login of who sits there now. */
  agent: string | null;
  name: string | null;
}

export interface Phone {
  number: string;
  e164: string | null;
  label: string | null;
}

export interface Customer {
  id: string;
  name: string;
  company: string | null;
  email: string | null;
  language: string | null;
  address: string | null;
  owner: string | null;
  tags: string[];
  fields: Record<string, string>;
  phones: Phone[];
  version: number;
  created_at: string;
  updated_at: string;
  note: string | null;
}

/** What was done to erase a customer: how many calls, and files of recordings that are still on the PBX. */
export interface Erasure {
  customer_id: string;
  calls: number;
  recordings: string[];
}

/** What a person may change of a customer. */
export interface CustomerDraft {
  name: string;
  company: string | null;
  email: string | null;
  address: string | null;
  tags: string[];
  phones: { number: string; label: string | null }[];
  note: string | null;
  /** Custom fields by code. */
  fields: Record<string, string>;
}

export interface Candidate {
  customer_id: string;
  name: string;
  company: string | null;
  email: string | null;
  phone: string | null;
  phone_label: string | null;
  tags: string[];
  owner: string | null;
  last_call_at: string | null;
  /** How the number fits: `exact`, `national` or `suffix`. */
  reason: string;
  /** All that speaks for this customer, `reason` first: `your_customer`, `recent`, `primary_phone`, `shared_number`. */
  reasons: string[];
  score: number;
}

export type MatchStatus = "none" | "one" | "several" | "ignored" | "incomplete";

export interface Match {
  status: MatchStatus;
  number: string | null;
  candidates: Candidate[];
}

export type Direction = "inbound" | "outbound" | "internal";

export type CallStatus =
  | "answered"
  | "abandoned"
  | "no_answer"
  | "busy"
  | "failed"
  | "canceled"
  | "voicemail"
  | "in_progress";

export interface RecordParty {
  number: string | null;
  e164: string | null;
  name: string | null;
  kind: string | null;
}

/** What somebody wrote about a call; `by` is a login. */
export interface CallNote {
  by: string;
  at: string;
  text: string;
}

/** One call of the call log; fields that the page does not read are left out. */
export interface CallRecord {
  call_id: string;
  linkedids: string[];
  direction: Direction;
  status: CallStatus;
  caller: RecordParty | null;
  callee: RecordParty | null;
  did: string | null;
  started_at: string;
  answered_at: string | null;
  ended_at: string | null;
  offers: { agent: string | null; result: string | null; queue: string | null }[];
  connections: { agent: string | null; from: string; to: string | null }[];
  queue_visits: { queue: string }[];
  talk_s: number | null;
  duration_s: number | null;
  customer: { id: string; name: string | null } | null;
  outcome: string | null;
  notes: CallNote[];
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
