/** The phone in the browser as a value: registration, calls and sound, changed by events alone. Knows no JsSIP. */
import type { Quality } from "./quality";

/**
 * `off`: there is none here. `elsewhere`: another browser has it. `denied`: no microphone. `refused`: Asterisk does not
 * take the password, or the service gives none.
 */
export type Registration = "off" | "connecting" | "registered" | "lost" | "refused" | "elsewhere" | "denied";

export type PhoneCallState = "ringing" | "dialing" | "talking" | "held";

export interface PhoneCall {
  id: string;
  incoming: boolean;
  state: PhoneCallState;
  number: string;
  name: string | null;
  muted: boolean;
  /** Since when it is answered, in milliseconds; null while it rings. */
  answeredAt: number | null;
  /** The call that waits while this one asks somebody whether to hand it on. */
  consultsFor: string | null;
  /** Handed on, and not yet known how that went. */
  transferring: boolean;
}

export interface PhoneState {
  registration: Registration;
  calls: PhoneCall[];
  quality: Quality | null;
}

export type PhoneEvent =
  | { type: "registration"; registration: Registration }
  | { type: "call"; call: PhoneCall }
  | { type: "changed"; id: string; change: Partial<Omit<PhoneCall, "id">> }
  | { type: "gone"; id: string }
  | { type: "quality"; quality: Quality | null };

export const NO_PHONE: PhoneState = { registration: "off", calls: [], quality: null };

/** The state after an event. What concerns a call that is not there changes nothing. */
export function apply(state: PhoneState, event: PhoneEvent): PhoneState {
  switch (event.type) {
    case "registration":
      return { ...state, registration: event.registration };
    case "call":
      return { ...state, calls: [...state.calls.filter((one) => one.id !== event.call.id), event.call] };
    case "changed":
      return {
        ...state,
        calls: state.calls.map((one) => (one.id === event.id ? { ...one, ...event.change } : one)),
      };
    case "gone":
      return withoutCall(state, event.id);
    case "quality":
      return { ...state, quality: event.quality };
  }
}

function withoutCall(state: PhoneState, id: string): PhoneState {
  const calls = state.calls
    .filter((one) => one.id !== id)
    // Who was to be handed on, or was asked, is gone: what is left is an ordinary call.
    .map((one) => (one.consultsFor === id ? { ...one, consultsFor: null } : one));
  return { ...state, calls, quality: calls.some(isTalking) ? state.quality : null };
}

const isTalking = (one: PhoneCall): boolean => one.state === "talking" || one.state === "held";

/** The call that the verbs are for: who is talked with, else who rings, else who is dialed, else who waits. */
export function currentCall(state: PhoneState): PhoneCall | null {
  for (const wanted of ["talking", "ringing", "dialing", "held"] as const) {
    const found = state.calls.findLast((one) => one.state === wanted);
    if (found) return found;
  }
  return null;
}

/** Somebody who rings while another call goes on. */
export function waitingCall(state: PhoneState): PhoneCall | null {
  const current = currentCall(state);
  return state.calls.find((one) => one.state === "ringing" && one.id !== current?.id) ?? null;
}

/** The call that can be joined with the current one. */
export function heldFor(state: PhoneState, call: PhoneCall): PhoneCall | null {
  return state.calls.find((one) => one.id === call.consultsFor) ?? null;
}

/** Which verbs make sense now; the buttons and the keys ask the same. */
export type Verb = "answer" | "hangUp" | "hold" | "resume" | "mute" | "keys" | "transfer" | "join";

export function verbs(state: PhoneState): ReadonlySet<Verb> {
  const call = currentCall(state);
  const can = new Set<Verb>();
  if (!call) return can;
  can.add("hangUp");
  if (waitingCall(state) || call.state === "ringing") can.add("answer");
  if (call.state === "talking") {
    for (const verb of ["hold", "mute", "keys"] as const) can.add(verb);
    if (!call.consultsFor && !call.transferring) can.add("transfer");
    if (heldFor(state, call)) can.add("join");
  }
  if (call.state === "held") can.add("resume");
  return can;
}
