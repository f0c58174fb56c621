/**
 * Keys for the verbs of the page. Whoever shows a verb says its key while it is shown; the sheet lists what holds now.
 *
 * Keys count only where nobody writes, and a person may turn them off, because speech input may say letters by itself.
 */
import { onBeforeUnmount, onMounted, reactive, ref, watch } from "vue";

export interface Shortcut {
  /** As `KeyboardEvent.key` has it. */
  key: string;
  /** Key of the text that says what it does. */
  label: string;
  act: () => void;
  /** Whether it can be used at this moment. */
  when?: () => boolean;
}

const KEPT = "callcenter.shortcuts";
export const shortcutsWanted = ref(localStorage.getItem(KEPT) !== "off");
watch(shortcutsWanted, (wanted) => localStorage.setItem(KEPT, wanted ? "on" : "off"));

export const shortcuts = reactive<Shortcut[]>([]);

export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const field = target.closest("input, textarea, select, [contenteditable]");
  return field !== null && !(field instanceof HTMLInputElement && field.type === "radio");
}

/** Which shortcut a key press means; the one that was said last where several have the key. */
export function meant(event: KeyboardEvent, all: readonly Shortcut[], wanted: boolean): Shortcut | undefined {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
  if (isWriting(event.target)) return undefined;
  const usable = all.filter((one) => one.key === event.key && (one.when?.() ?? true));
  // Letters can be turned off, Escape cannot: a page without it would be a trap.
  return wanted || event.key === "Escape" ? usable.at(-1) : undefined;
}

/** Say keys for as long as the component is there. */
export function useShortcuts(own: Shortcut[]): void {
  onMounted(() => shortcuts.push(...own));
  onBeforeUnmount(() => {
    for (const one of own) {
      const place = shortcuts.findIndex((other) => other.act === one.act && other.key === one.key);
      if (place >= 0) shortcuts.splice(place, 1);
    }
  });
}

/** Listen to the keyboard; returns what ends it. */
export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    // A dialog has keys of its own, Escape above all.
    if (document.querySelector("dialog[open]")) return;
    const shortcut = meant(event, shortcuts, shortcutsWanted.value);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
