/** How a call of the log ended, as one agent sees it. */
import type { CallRecord } from "../api/types";

export type Result =
  | "answered"
  | "colleague"
  | "missed"
  | "abandoned"
  | "dialed"
  | "no_answer"
  | "busy"
  | "failed"
  | "canceled"
  | "voicemail"
  | "in_progress";

/** A call that somebody answered is missed by nobody: a ring that a colleague took is the colleague's call. */
export function resultOf(call: CallRecord, agent: string | null): Result {
  if (call.status === "in_progress") return "in_progress";
  const took = call.connections.some((one) => one.agent === agent);
  if (call.status === "answered") {
    if (call.direction === "outbound") return "answered";
    return took || agent === null ? "answered" : "colleague";
  }
  if (call.direction === "outbound") return call.status === "abandoned" ? "canceled" : call.status;
  if (call.status === "voicemail") return "voicemail";
  const rang = call.offers.some((one) => one.agent === agent);
  if (call.status === "abandoned") return rang ? "missed" : "abandoned";
  return call.direction === "internal" && !rang ? call.status : "missed";
}
