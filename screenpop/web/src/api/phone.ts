/** The phone of the session: its password in the browser, and what the PBX does for one on the desk. */
import { request } from "./http";

export type PhoneKind = "none" | "desk" | "browser";

/** Kept in memory only, and never longer than it is good for. */
export interface PhoneCredential {
  pbx: string;
  extension: string;
  name: string | null;
  url: string;
  realm: string;
  password: string;
  expires_at: string;
  ice_servers: string[];
}

export interface ParkedCall {
  call_id: string;
  space: string;
  number: string | null;
  name: string | null;
  mine: boolean;
  waited_s: number;
  left_s: number;
}

const enc = encodeURIComponent;

export const phoneNow = (): Promise<{ kind: PhoneKind }> => request("GET", "/phone");
export const askCredential = (takeOver: boolean): Promise<PhoneCredential> =>
  request("POST", "/phone/credential", { body: { take_over: takeOver } });
export const returnCredential = (): Promise<void> => request("DELETE", "/phone/credential", { mayBeSignedOut: true });
/** What a phone of this PBX would dial to reach a number that a person wrote. */
export const dialableAs = (number: string): Promise<{ dial: string }> =>
  request("GET", "/phone/target", { query: { number } });
export const listParked = (): Promise<{ items: ParkedCall[] }> => request("GET", "/phone/parked");

export const transferCall = (id: string, number: string, kind: "blind" | "attended"): Promise<unknown> =>
  request("POST", `/calls/${enc(id)}/transfer`, { body: { number, kind } });
export const cancelTransfer = (id: string): Promise<unknown> => request("DELETE", `/calls/${enc(id)}/transfer`);
export const parkCall = (id: string): Promise<unknown> => request("POST", `/calls/${enc(id)}/park`);
export const fetchCall = (id: string): Promise<unknown> => request("POST", `/calls/${enc(id)}/fetch`);
