/** Keys for the phone, which work while a note is written too: Alt and a letter. */
import { onBeforeUnmount, onMounted } from "vue";

import { able, current, hangUp, phone, wish } from "./phone";

/** The key's place on the keyboard: what Alt and a letter types differs from system to system. */
export const KEYS = { answer: "KeyA", hangUp: "KeyX", hold: "KeyH", mute: "KeyM", transfer: "KeyT" } as const;

/** Listen for the phone's keys while a component is shown. */
export function usePhoneKeys(onTransfer: () => void): void {
  function onKey(event: KeyboardEvent): void {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
    if (!act(event.code, onTransfer)) return;
    event.preventDefault();
  }
  onMounted(() => document.addEventListener("keydown", onKey));
  onBeforeUnmount(() => document.removeEventListener("keydown", onKey));
}

function act(code: string, onTransfer: () => void): boolean {
  const can = able.value;
  if (code === KEYS.hangUp) hangUp();
  else if (code === KEYS.transfer && (phone.kind === "desk" || can.has("transfer"))) onTransfer();
  else if (code === KEYS.answer && can.has("answer")) wish("answer");
  else if (code === KEYS.mute && can.has("mute")) wish("mute");
  else if (code === KEYS.hold && (can.has("hold") || can.has("resume"))) {
    wish(current.value?.state === "held" ? "resume" : "hold");
  } else return false;
  return true;
}
