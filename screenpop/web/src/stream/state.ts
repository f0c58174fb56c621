/**
 * What this agent's stream has told so far: a pure function of the snapshot and the numbered events.
 *
 * `apply(snapshot, events)` must be what a later snapshot would say, but for what the server forgets at once and a
 * person still looks at: calls that ended and pops that were withdrawn stay until `dismiss`.
 */
import type { AgentNow, LiveCall, Numbered, Pop, Snapshot, Welcome, WithdrawnReason } from "./messages";

export interface ShownPop extends Pop {
  withdrawn: WithdrawnReason | null;
}

export interface StreamState {
  session: string | null;
  seq: number;
  agent: AgentNow | null;
  calls: Record<string, LiveCall>;
  pops: Record<string, ShownPop>;
  /** Calls that were taken off the screen: only a new ring brings them back. */
  dismissed: string[];
}

export const EMPTY: StreamState = { session: null, seq: 0, agent: null, calls: {}, pops: {}, dismissed: [] };

/** More were not dismissed in one connection by anybody; the oldest are forgotten. */
const DISMISSED_KEPT = 500;

/** `stale`: seen before. `gap`: something was missed, so start anew. */
export type Applied = { kind: "applied" | "stale"; state: StreamState } | { kind: "gap" };

/** State after a `welcome`: the snapshot where there is one, what was known where the stream was resumed. */
export function welcome(before: StreamState, message: Welcome): StreamState {
  if (message.resumed || !message.snapshot) {
    return { ...before, session: message.session };
  }
  return fromSnapshot(before, message.snapshot, message.session, message.seq);
}

function fromSnapshot(before: StreamState, snapshot: Snapshot, session: string, seq: number): StreamState {
  const calls: Record<string, LiveCall> = {};
  const pops: Record<string, ShownPop> = {};
  const named = new Set([...snapshot.calls, ...snapshot.pops].map((one) => one.call_id));
  const dismissed = before.dismissed.filter((id) => named.has(id));
  for (const call of snapshot.calls) if (!dismissed.includes(call.call_id)) calls[call.call_id] = call;
  for (const pop of snapshot.pops) {
    if (!before.dismissed.includes(pop.call_id)) pops[pop.call_id] = { ...pop, withdrawn: null };
  }
  // A call on the screen that the server no longer knows has ended while we were away: keep it for its note.
  for (const [id, call] of Object.entries(before.calls)) {
    if (calls[id]) continue;
    calls[id] = { ...call, state: "ended" };
  }
  // What the agent had seen of a call that goes on is still true: the server forgets a pop once it is acknowledged.
  for (const [id, pop] of Object.entries(before.pops)) {
    if (!pops[id] && calls[id]) pops[id] = pop;
  }
  return { session, seq, agent: snapshot.agent, calls, pops, dismissed };
}

/** State after one numbered message. Messages of kinds that this page does not know only move the number on. */
export function apply(before: StreamState, message: Numbered): Applied {
  if (message.seq <= before.seq) return { kind: "stale", state: before };
  if (message.seq !== before.seq + 1) return { kind: "gap" };
  return { kind: "applied", state: { ...change(before, message), seq: message.seq } };
}

function change(before: StreamState, message: Numbered): StreamState {
  switch (message.type) {
    case "pop": {
      const { type: _type, ...pop } = message;
      const dismissed = before.dismissed.filter((id) => id !== pop.call_id);
      return { ...before, dismissed, pops: { ...before.pops, [pop.call_id]: { ...pop, withdrawn: null } } };
    }
    case "pop_update": {
      const pop = before.pops[message.call_id];
      if (!pop) return before;
      return { ...before, pops: { ...before.pops, [message.call_id]: { ...pop, match: message.match } } };
    }
    case "pop_withdrawn": {
      const pop = before.pops[message.call_id];
      if (!pop) return before;
      return { ...before, pops: { ...before.pops, [message.call_id]: { ...pop, withdrawn: message.reason } } };
    }
    case "call":
      if (before.dismissed.includes(message.call.call_id)) return before;
      if (message.call.merged_into && !isShown(before, message.call.call_id)) return before;
      return { ...before, calls: { ...before.calls, [message.call.call_id]: message.call } };
    case "agent":
      // A supervisor's stream carries everybody; the header shows oneself.
      if (before.agent && before.agent.agent !== message.agent) return before;
      return { ...before, agent: message };
    default:
      return before;
  }
}

/** Whether a call or its pop is on the screen. */
export function isShown(state: StreamState, callId: string): boolean {
  return callId in state.calls || callId in state.pops;
}

/** Take a call off the screen. */
export function dismiss(before: StreamState, callId: string): StreamState {
  const { [callId]: _call, ...calls } = before.calls;
  const { [callId]: _pop, ...pops } = before.pops;
  const dismissed = [...before.dismissed.filter((id) => id !== callId), callId].slice(-DISMISSED_KEPT);
  return { ...before, calls, pops, dismissed };
}
