/** Looks customers up while a person writes: after a pause, and only the answer to the last text counts. */
import { onScopeDispose, ref, watch, type Ref } from "vue";

import type { Customer } from "../api/types";
import { searchCustomers } from "../api/verbs";
import { problemText } from "../problems";

const PAUSE_MS = 250;
const SHORTEST = 2;

export interface Search {
  text: Ref<string>;
  /** Null before anything was looked for. */
  found: Ref<Customer[] | null>;
  problem: Ref<string>;
}

/** A search of at most `limit` customers. */
export function useSearch(limit: number): Search {
  const text = ref("");
  const found = ref<Customer[] | null>(null);
  const problem = ref("");
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(wanted: string): Promise<void> {
    try {
      const page = await searchCustomers(wanted, limit);
      if (text.value.trim() !== wanted) return;
      found.value = page.items;
      problem.value = "";
    } catch (error) {
      if (text.value.trim() === wanted) problem.value = problemText(error);
    }
  }

  watch(text, (now) => {
    clearTimeout(timer);
    const wanted = now.trim();
    if (wanted.length < SHORTEST) {
      found.value = null;
      problem.value = "";
      return;
    }
    timer = setTimeout(() => void look(wanted), PAUSE_MS);
  });
  onScopeDispose(() => clearTimeout(timer));
  return { text, found, problem };
}
