/** People, sessions, keys and the audit trail, as the REST API has them. */
import { request } from "./http";
import type { Session } from "./types";

export const ROLES = ["agent", "supervisor", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface QueueRef {
  pbx: string;
  queue: string;
}

export interface Person {
  agent: string;
  name: string;
  role: Role;
  disabled: boolean;
  last_login_at: string | null;
  failed_logins: number;
  one_time_until: string | null;
  every_queue: boolean;
  queues: QueueRef[];
}

export interface PersonDraft {
  name: string;
  role: Role;
  every_queue: boolean;
  queues: QueueRef[];
}

export interface OneTime {
  login: string;
  password: string;
  until: string;
}

export interface Lock {
  login: string | null;
  address: string | null;
  failures: number;
  until: string;
}

export interface OpenSession {
  session: string;
  login: string;
  address: string | null;
  created_at: string;
  seen_at: string;
  expires_at: string;
  own: boolean;
}

export interface Key {
  key_id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  used_at: string | null;
  revoked_at: string | null;
}

export interface AuditEntry {
  audit_id: number;
  at: string;
  actor: string;
  action: string;
  subject_type: string | null;
  subject_id: string | null;
  address: string | null;
  detail: Record<string, unknown>;
}

type List<T> = Promise<{ items: T[] }>;
const user = (login: string, rest = ""): string => `/users/${encodeURIComponent(login)}${rest}`;

export const listUsers = (): List<Person> => request("GET", "/users");
export const createUser = (login: string, draft: PersonDraft): Promise<OneTime> =>
  request("POST", "/users", { body: { login, ...draft } });
export const changeUser = (login: string, change: Partial<PersonDraft> & { disabled?: boolean }): Promise<Person> =>
  request("PATCH", user(login), { body: change });
export const resetPassword = (login: string): Promise<OneTime> => request("POST", user(login, "/password"));
export const listLocks = (): List<Lock> => request("GET", "/locks");
export const unlock = (lock: Lock): Promise<void> =>
  request("POST", "/locks/release", { body: lock.login !== null ? { login: lock.login } : { address: lock.address } });
export const listQueues = (): List<{ pbx: string; name: string }> => request("GET", "/queues");
export const listSessions = (everybodys: boolean): List<OpenSession> =>
  request("GET", everybodys ? "/sessions" : "/session/all");
export const endSession = (session: string, everybodys: boolean): Promise<void> =>
  request("DELETE", `${everybodys ? "/sessions" : "/session/all"}/${session}`);
export const changePassword = (current: string, wanted: string): Promise<Session> =>
  request("PUT", "/session/password", { body: { current, new: wanted } });
export const listKeys = (): Promise<{ items: Key[]; scopes: string[] }> => request("GET", "/keys");
export const createKey = (name: string, scopes: string[], until: string | null): Promise<{ key: string }> =>
  request("POST", "/keys", { body: { name, scopes, expires_at: until } });
export const revokeKey = (id: string): Promise<void> => request("DELETE", `/keys/${id}`);
export const listAudit = (
  filters: { actor: string | null; action: string | null; subject_id: string | null },
  cursor: string | null,
): Promise<{ items: AuditEntry[]; next_cursor: string | null }> =>
  request("GET", "/audit", { query: { ...filters, cursor, limit: 50 } });
