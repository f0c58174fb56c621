/** Whom a phone's call is with, in the desk's words: the customer, where the phone alone knows a number. */
import type { Card } from "../desk/cards";
import type { PhoneCall } from "./state";

/**
 * The card of one of the phone's calls. A phone may know less than the desk: of a call that was handed on it still
 * names who handed it on, and of one that was dialed by the page the own extension.
 */
export function cardOf(call: PhoneCall, calls: readonly PhoneCall[], cards: readonly Card[]): Card | null {
  const live = cards.filter((one) => one.state !== "ended");
  const same = live.find((one) => one.number !== null && one.number === call.number);
  return same ?? (calls.length === 1 && live.length === 1 ? (live[0] ?? null) : null);
}
