/** Messages and records for tests, each with what most tests do not care about filled in. */
import type { CallRecord, Customer, Match } from "../src/api/types";
import type { LiveCall, Numbered, Pop, Snapshot, Welcome } from "../src/stream/messages";

export function liveCall(changes: Partial<LiveCall> = {}): LiveCall {
  return {
    call_id: "a",
    direction: "inbound",
    status: "in_progress",
    state: "ringing",
    caller: null,
    callee: null,
    number: "+15035550142",
    name: null,
    queue: "sales",
    customer: null,
    started_at: "2026-05-01T09:00:00Z",
    answered_at: null,
    ended_at: null,
    ...changes,
  };
}

export function match(status: Match["status"] = "one", ids: string[] = ["c1"]): Match {
  const candidates = ids.map((id) => ({
    customer_id: id,
    name: `Customer ${id}`,
    company: null,
    email: null,
    phone: "+15035550142",
    phone_label: null,
    tags: [],
    owner: null,
    last_call_at: null,
    reason: "exact",
    reasons: ["exact"],
    score: 100,
  }));
  return { status, number: "+15035550142", candidates };
}

export function pop(changes: Partial<Pop> = {}): Pop {
  return {
    seq: 2,
    call_id: "a",
    at: "2026-05-01T09:00:01Z",
    rang_at: "2026-05-01T09:00:01Z",
    interface: "PJSIP/1001",
    queue: "sales",
    did: "+15035550199",
    direction: "inbound",
    caller: { number: "5035550142", e164: "+15035550142", name: "M CHEN" },
    match: match(),
    ...changes,
  };
}

export const callMessage = (seq: number, changes: Partial<LiveCall> = {}): Numbered => ({
  seq,
  type: "call",
  call: liveCall(changes),
});

export const popMessage = (seq: number, changes: Partial<Pop> = {}): Numbered => ({
  ...pop({ ...changes, seq }),
  type: "pop",
});

export function welcomeMessage(seq: number, snapshot: Partial<Snapshot> | null, session = "s1"): Welcome {
  return {
    type: "welcome",
    protocol: 1,
    session,
    seq,
    resumed: snapshot === null,
    snapshot: snapshot && { agent: null, calls: [], pops: [], ...snapshot },
  };
}

export function record(changes: Partial<CallRecord> = {}): CallRecord {
  return {
    call_id: "a",
    linkedids: ["1777626000.1"],
    direction: "inbound",
    status: "answered",
    caller: null,
    callee: null,
    did: null,
    started_at: "2026-05-01T09:00:00Z",
    answered_at: null,
    ended_at: null,
    offers: [],
    connections: [],
    queue_visits: [],
    talk_s: null,
    duration_s: null,
    customer: null,
    outcome: null,
    notes: [],
    ...changes,
  };
}

export function customer(changes: Partial<Customer> = {}): Customer {
  return {
    id: "c1",
    name: "Margaret Chen",
    company: "Harbor Light Optics",
    email: null,
    language: null,
    address: null,
    owner: null,
    tags: ["gold"],
    fields: {},
    phones: [{ number: "(503) 555-0142", e164: "+15035550142", label: "mobile" }],
    version: 1,
    created_at: "2026-05-01T09:00:00Z",
    updated_at: "2026-05-01T09:00:00Z",
    note: null,
    ...changes,
  };
}
