/** Click-to-dial and hanging up, from anywhere on the page. */
import { ref } from "vue";

import { dial as askDial, hangUp as askHangUp } from "../api/verbs";
import { formatNumber } from "../format";
import { i18n } from "../i18n";
import { tell, tellHint, tellProblem } from "../problems";
import { expectCall } from "./desk";
import { who } from "./session";

/** A second click within this time is a slip of the finger, not a second call. */
const SLIP_MS = 2_000;

export const dialing = ref<string | null>(null);

/** Told before a call is asked for: a phone in the browser answers it by itself. */
let beforeDial: (() => void) | null = null;
export function onDialed(act: (() => void) | null): void {
  beforeDial = act;
}

/** Ring the agent's phone, and then `number`. */
export async function dial(number: string): Promise<void> {
  if (dialing.value !== null) return;
  if (!who.seat) {
    tellHint(i18n.global.t("dial.noSeat"));
    return;
  }
  dialing.value = number;
  setTimeout(() => (dialing.value = null), SLIP_MS);
  try {
    beforeDial?.();
    const { call_id } = await askDial(number);
    expectCall(call_id);
    tell(i18n.global.t("dial.dialing", { number: formatNumber(number) }));
  } catch (problem) {
    tellProblem(problem);
  }
}

/** End a call, also one that still rings. */
export async function hangUp(callId: string): Promise<void> {
  try {
    await askHangUp(callId);
  } catch (problem) {
    tellProblem(problem);
  }
}
