/** What the page asks of the REST API, one function per verb; each throws `Problem`. */
import { isDialable } from "../format";
import { request } from "./http";
import type {
  CallRecord,
  Customer,
  CustomerDraft,
  Erasure,
  Extension,
  Match,
  Page,
  Seat,
  Session,
} from "./types";
import type { Ticket } from "../stream/stream";

const enc = encodeURIComponent;

export const logIn = (login: string, password: string): Promise<Session> =>
  request("POST", "/session", { body: { login, password }, mayBeSignedOut: true });
export const currentSession = (): Promise<Session> => request("GET", "/session", { mayBeSignedOut: true });
export const logOut = (): Promise<void> => request("DELETE", "/session", { mayBeSignedOut: true });
export const saveLanguage = (language: string): Promise<unknown> =>
  request("PATCH", "/session", { body: { language } });

export const listExtensions = (): Promise<{ items: Extension[] }> => request("GET", "/extensions");
export const takeSeat = (pbx: string, extension: string, force: boolean): Promise<Seat> =>
  request("PUT", "/session/extension", { body: { pbx, extension, force } });
export const leaveSeat = (): Promise<void> => request("DELETE", "/session/extension");

export const ticket = (): Promise<Ticket> =>
  request("POST", "/screenpop/ticket", { mayBeSignedOut: true });

/** Customers by text, or by number where the text is one. */
export const searchCustomers = (text: string, limit: number, cursor?: string): Promise<Page<Customer>> => {
  const wanted = text.trim();
  const query = isDialable(wanted) ? { number: wanted } : { q: wanted || null };
  return request("GET", "/customers", { query: { ...query, limit, cursor } });
};
export const getCustomer = (id: string): Promise<Customer> => request("GET", `/customers/${enc(id)}`);
export const createCustomer = (draft: CustomerDraft): Promise<Customer> =>
  request("POST", "/customers", { body: draft });
export const saveCustomer = (id: string, version: number, changes: Partial<CustomerDraft>): Promise<Customer> =>
  request("PATCH", `/customers/${enc(id)}`, { body: { ...changes, version } });
export const eraseCustomer = (id: string): Promise<Erasure> => request("POST", `/customers/${enc(id)}/erasure`);
export const findMatch = (number: string): Promise<Match> => request("GET", "/match", { query: { number } });

export const callsOfCustomer = (customer: string, limit: number): Promise<Page<CallRecord>> =>
  request("GET", "/calls", { query: { customer, limit } });
export const callsOfAgent = (agent: string, since: Date, limit: number): Promise<Page<CallRecord>> =>
  request("GET", "/calls", { query: { agent, since: since.toISOString(), limit } });
export const getCall = (id: string): Promise<CallRecord> => request("GET", `/calls/${enc(id)}`);
export const saveNote = (id: string, text: string, keepalive = false): Promise<unknown> =>
  request("PUT", `/calls/${enc(id)}/note`, { body: { text }, keepalive });
export const linkCustomer = (id: string, customerId: string | null): Promise<unknown> =>
  request("PUT", `/calls/${enc(id)}/customer`, { body: { customer_id: customerId } });
export const dial = (number: string): Promise<{ call_id: string }> =>
  request("POST", "/calls", { body: { number } });
export const hangUp = (id: string): Promise<unknown> => request("POST", `/calls/${enc(id)}/hangup`);
