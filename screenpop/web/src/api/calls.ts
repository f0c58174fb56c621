/** What the page of the call log asks of the REST API; each throws `Problem`. */
import { request } from "./http";
import type { CallRecord, Page } from "./types";

/** A call with all that its timeline is drawn from. */
export interface CallDetail extends Omit<CallRecord, "offers" | "connections" | "queue_visits"> {
  offers: {
    agent: string | null;
    interface: string;
    queue: string | null;
    rang_at: string;
    ended_at: string | null;
    result: string | null;
  }[];
  connections: { agent: string | null; interface: string | null; number: string | null; from: string; to: string | null }[];
  queue_visits: { queue: string; joined_at: string; left_at: string | null; exit: string | null; wait_s: number | null }[];
  transfers: { kind: "blind" | "attended" | "blonde"; by: string | null; to: string | null; at: string }[];
  wait_s: number | null;
  ring_s: number | null;
  hold_s: number | null;
  wrapup_s: number | null;
  hangup_by: string | null;
  complete: boolean;
  source: string;
  pbx: string;
  tags: string[];
}

/** Filters of the call log, named as in `GET /calls`: what stands in the page's address too. */
export const FILTERS = [
  "since",
  "until",
  "queue",
  "exit",
  "agent",
  "number",
  "did",
  "status",
  "direction",
  "outcome",
  "customer",
  "text",
] as const;

export type CallWish = Partial<Record<(typeof FILTERS)[number], string>>;

export const listCalls = (wish: CallWish, cursor: string | null): Promise<Page<CallDetail>> =>
  request("GET", "/calls", { query: { ...wish, limit: 50, cursor } });
export const getDetail = (id: string): Promise<CallDetail> => request("GET", `/calls/${encodeURIComponent(id)}`);
export const queueNames = async (): Promise<string[]> => {
  const { items } = await request<{ items: { name: string }[] }>("GET", "/queues");
  return [...new Set(items.map((one) => one.name))].sort();
};
