/** The cards on the desk, made from the stream's state: pure functions, so that every rule can be tested. */
import type { Direction, Match } from "../api/types";
import type { LiveCall, LiveState, WithdrawnReason } from "../stream/messages";
import { isShown, type ShownPop, type StreamState } from "../stream/state";

export interface Card {
  id: string;
  state: LiveState;
  direction: Direction;
  /** The other side. */
  number: string | null;
  name: string | null;
  queue: string | null;
  did: string | null;
  match: Match | null;
  /** The customer that the call is known to be with, as far as the server knows. */
  customerId: string | null;
  since: string;
  answeredAt: string | null;
  endedAt: string | null;
  /** Why it ended without a talk, where that is known. */
  reason: WithdrawnReason | null;
}

export interface Departure {
  id: string;
  number: string | null;
  name: string | null;
  reason: WithdrawnReason;
}

/** Ended calls stay for their notes; more of them than this push the oldest out. */
const ENDED_KEPT = 3;

const ORDER: Record<LiveState, number> = { ringing: 0, queued: 1, talking: 2, held: 3, ended: 4 };

/** All cards, the most urgent first, older before newer. */
export function cards(state: StreamState): Card[] {
  const ids = new Set([...Object.keys(state.calls), ...Object.keys(state.pops)]);
  return [...ids]
    .map((id) => card(id, state.calls[id], state.pops[id]))
    .sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.since.localeCompare(b.since));
}

function card(id: string, call: LiveCall | undefined, pop: ShownPop | undefined): Card {
  const direction = call?.direction ?? pop?.direction ?? "inbound";
  const other = pop?.caller ?? null;
  const candidates = pop?.match.candidates ?? [];
  const single = pop?.match.status === "one" ? candidates[0] : undefined;
  return {
    id,
    state: stateOf(call, pop),
    direction,
    number: other?.e164 ?? call?.number ?? other?.number ?? pop?.match.number ?? null,
    name: call?.name ?? other?.name ?? null,
    queue: call?.queue ?? pop?.queue ?? null,
    did: pop?.did ?? null,
    match: pop?.match ?? null,
    customerId: call?.customer?.id ?? single?.customer_id ?? null,
    since: pop?.rang_at ?? pop?.at ?? call?.started_at ?? "",
    answeredAt: call?.answered_at ?? null,
    endedAt: call?.ended_at ?? null,
    reason: pop?.withdrawn ?? null,
  };
}

function stateOf(call: LiveCall | undefined, pop: ShownPop | undefined): LiveState {
  // The server tells of a call before it pops: a pop alone is what is left of a call that nobody has closed.
  if (!call) return "ended";
  // The call may wait in the queue again, or ring at others: for this agent it is over.
  if (pop?.withdrawn && (call.state === "ringing" || call.state === "queued")) return "ended";
  return call.state;
}

/** Calls that this agent does not get after all: they leave the desk with a line that says why. */
export function leaving(state: StreamState): Departure[] {
  return Object.values(state.pops).flatMap((pop) => {
    const reason = pop.withdrawn;
    const call = state.calls[pop.call_id];
    if (!reason || call?.state === "talking" || call?.state === "held") return [];
    const { number, name } = card(pop.call_id, call, pop);
    const known = pop.match.status === "one" ? pop.match.candidates[0]?.name : undefined;
    return [{ id: pop.call_id, number, name: known ?? name, reason }];
  });
}

/** Consultations that go on in the customer's call, which is on the desk: the two were found to be one. */
export function merged(state: StreamState): string[] {
  const goesOn = (id: string): boolean => isShown(state, id) || state.dismissed.includes(id);
  return Object.values(state.calls)
    .filter((one) => one.direction === "internal" && one.state === "ended" && one.merged_into && goesOn(one.merged_into))
    .map((one) => one.call_id);
}

/** The oldest ended cards above what is kept. */
export function surplus(all: Card[]): Card[] {
  const ended = all.filter((one) => one.state === "ended");
  return ended.slice(0, Math.max(0, ended.length - ENDED_KEPT));
}

/** Which card to show when the cards have changed: a person's choice stays while the call goes on. */
export function choose(all: Card[], selected: string | null): string | null {
  const now = all.find((one) => one.id === selected);
  if (now && now.state !== "ended") return now.id;
  const live = all.find((one) => one.state !== "ended");
  return live?.id ?? now?.id ?? all.at(-1)?.id ?? null;
}
