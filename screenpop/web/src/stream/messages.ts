/** Messages of the screen-pop WebSocket, protocol 1. */
import type { CallStatus, Direction, Match } from "../api/types";

export type LiveState = "ringing" | "queued" | "talking" | "held" | "ended";

export interface LiveParty {
  number: string | null;
  e164: string | null;
  name: string | null;
}

export interface LiveCall {
  call_id: string;
  direction: Direction;
  status: CallStatus;
  state: LiveState;
  caller: LiveParty | null;
  callee: LiveParty | null;
  /** The other side's number. */
  number: string | null;
  name: string | null;
  queue: string | null;
  customer?: { id: string; name: string | null } | null;
  started_at: string;
  answered_at: string | null;
  ended_at: string | null;
  /** The call that this one was found to be the same as. */
  merged_into?: string | null;
}

export interface Pop {
  /** Its number in the stream, to acknowledge it by. */
  seq: number;
  call_id: string;
  at: string;
  rang_at: string;
  interface: string | null;
  queue: string | null;
  did: string | null;
  direction: Direction;
  /** The other side, on calls of any direction. */
  caller: LiveParty | null;
  match: Match;
}

export type WithdrawnReason =
  | "answered_elsewhere"
  | "caller_gave_up"
  | "no_answer"
  | "busy"
  | "rejected"
  | "unavailable"
  | "ended";

export interface AgentNow {
  agent: string;
  name: string | null;
  state: "offline" | "ready" | "ringing" | "busy" | "paused";
  extension: string | null;
  interface: string | null;
  since: string | null;
  /** Why they pause; `wrapup` while they wrap up `call_id`, until `until`. */
  reason?: string | null;
  until?: string | null;
  call_id?: string | null;
  /** Seconds after which the pause is too long. */
  budget_s?: number | null;
  /** Whether a queue may ring their phone when they do not pause. */
  logged_in?: boolean | null;
}

export interface Notice {
  level: "info" | "warning" | "error";
  code: string;
  text: string;
  id?: string | null;
}

export interface Snapshot {
  agent: AgentNow | null;
  calls: LiveCall[];
  pops: Pop[];
}

export interface Welcome {
  type: "welcome";
  protocol: number;
  session: string;
  seq: number;
  resumed: boolean;
  snapshot: Snapshot | null;
}

export type Numbered = { seq: number } & (
  | ({ type: "pop" } & Pop)
  | { type: "pop_update"; call_id: string; match: Match }
  | { type: "pop_withdrawn"; call_id: string; reason: WithdrawnReason }
  | { type: "pop_acknowledged"; call_id: string }
  | { type: "call"; call: LiveCall }
  | ({ type: "agent" } & AgentNow)
  | ({ type: "notice" } & Notice)
);

export type Hello = {
  type: "hello";
  ticket: string;
  resume?: { session: string; seq: number };
};

/** Codes with which the server closes; others mean that the connection was lost. */
export const CLOSE = {
  badMessage: 4400,
  badTicket: 4401,
  origin: 4403,
  tooSlow: 4408,
  replaced: 4409,
  flood: 4429,
  goingAway: 1001,
} as const;
