/** What supervisors ask of the REST API; each throws `Problem`. */
import { request } from "./http";

export type SpyMode = "listen" | "whisper" | "barge";

export interface SpyView {
  spy_id: string;
  call_id: string;
  agent: string;
  mode: SpyMode;
  state: "ringing" | "listening";
}

export interface QueueLimits {
  pbx: string;
  queue: string;
  threshold_s: number;
  short_s: number;
  formula: string;
  most_waiting: number | null;
  longest_wait_s: number | null;
  least_level: number | null;
  least_ready: number | null;
}

const enc = encodeURIComponent;

export const toFront = (id: string): Promise<unknown> => request("POST", `/floor/callers/${enc(id)}/front`);
export const moveCaller = (id: string, to: { queue: string } | { agent: string }): Promise<unknown> =>
  request("POST", `/floor/callers/${enc(id)}/move`, { body: to });
export const pauseAgent = (agent: string, paused: boolean, reason: string | null): Promise<unknown> =>
  request("PUT", "/floor/pause", { body: { agent, paused, reason } });
export const logAgentOut = (agent: string): Promise<unknown> => request("POST", "/floor/logout", { body: { agent } });
export const addMember = (pbx: string, queue: string, agent: string, penalty: number): Promise<unknown> =>
  request("POST", "/floor/members", { body: { pbx, queue, agent, penalty } });
export const changeMember = (
  pbx: string,
  queue: string,
  device: string,
  change: { penalty?: number; paused?: boolean },
): Promise<unknown> => request("PATCH", "/floor/members", { body: { pbx, queue, interface: device, ...change } });
export const removeMember = (pbx: string, queue: string, device: string): Promise<unknown> =>
  request("DELETE", "/floor/members", { query: { pbx, queue, interface: device } });
export const saveLimits = (limits: QueueLimits): Promise<unknown> =>
  request("PUT", "/floor/limits", { body: limits });
export const spyOn = (call: string, agent: string, mode: SpyMode): Promise<SpyView> =>
  request("POST", `/floor/calls/${enc(call)}/spy`, { body: { agent, mode } });
export const changeSpying = (spyId: string, mode: SpyMode): Promise<SpyView> =>
  request("PATCH", "/floor/spying", { body: { spy_id: spyId, mode } });
export const stopSpying = (spyId: string): Promise<unknown> =>
  request("DELETE", "/floor/spying", { query: { spy_id: spyId } });
export const mySpying = (): Promise<{ items: SpyView[] }> => request("GET", "/floor/spying");
export const takeOver = (call: string, agent: string): Promise<unknown> =>
  request("POST", `/floor/calls/${enc(call)}/takeover`, { body: { agent } });
