/** Webhooks, as the REST API has them. */
import { request } from "./http";

const WORDS = ["started", "answered", "transferred", "ended", "corrected", "deleted"] as const;
export type EventKind = `${"call"}.${(typeof WORDS)[number]}` | `${"queue"}.${"alert"}`;
/** In the order of a call's life; last, what is about queues. */
export const EVENT_KINDS = [
  ...WORDS.map((word) => ["call", word].join(".") as EventKind),
  ["queue", "alert"].join(".") as EventKind,
];
/** What a kind says about its subject. */
export const wordOf = (kind: EventKind): string => kind.slice(kind.indexOf(".") + 1);
export type DeliveryState = "waiting" | "done" | "dead";

export interface WebhookDraft {
  name: string;
  url: string;
  kinds: EventKind[];
}

export interface Webhook extends WebhookDraft {
  id: string;
  paused: boolean;
  paused_reason: string | null;
  waiting: number;
  dead: number;
  failures: number;
  hold_until: string | null;
  old_secret_until: string | null;
  created_at: string;
  created_by: string;
}

export interface MadeSecret {
  webhook: Webhook;
  secret: string;
}

export interface Delivery {
  event_id: string;
  seq: number;
  kind: string;
  call_id: string | null;
  at: string;
  state: DeliveryState;
  attempts: number;
  next_at: string | null;
  sent_at: string | null;
  took_s: number | null;
  status: number | null;
  error: string | null;
  answer: string | null;
}

const path = (id: string, rest = ""): string => `/webhooks/${encodeURIComponent(id)}${rest}`;

export const listWebhooks = (): Promise<{ items: Webhook[] }> => request("GET", "/webhooks");
export const createWebhook = (draft: WebhookDraft): Promise<MadeSecret> =>
  request("POST", "/webhooks", { body: draft });
export const changeWebhook = (id: string, changes: Partial<WebhookDraft> & { paused?: boolean }): Promise<Webhook> =>
  request("PATCH", path(id), { body: changes });
export const deleteWebhook = (id: string): Promise<void> => request("DELETE", path(id));
export const renewSecret = (id: string): Promise<MadeSecret> => request("POST", path(id, "/secret"), { body: {} });
export const sendTest = (id: string): Promise<Delivery> => request("POST", path(id, "/test"));
export const listDeliveries = (
  id: string,
  state: DeliveryState | null,
  before: number | null,
  limit: number,
): Promise<{ items: Delivery[]; next_before: number | null }> =>
  request("GET", path(id, "/deliveries"), { query: { state, before, limit } });
export const showDelivery = (id: string, event: string): Promise<{ body: unknown }> =>
  request("GET", path(id, `/deliveries/${encodeURIComponent(event)}`));
export const replayDelivery = (id: string, event: string): Promise<Delivery> =>
  request("POST", path(id, `/deliveries/${encodeURIComponent(event)}/replay`));
/** All dead letters, or all events after a cursor. */
export const replayMany = (id: string, after: number | null): Promise<{ events: number }> =>
  request("POST", path(id, "/replay"), { body: { after } });
