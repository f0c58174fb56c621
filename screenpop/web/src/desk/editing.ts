/** A customer's card while somebody edits it: what is sent, and what happens where somebody else was faster. */
import { reactive } from "vue";

import { Problem } from "../api/http";
import type { Customer, CustomerDraft } from "../api/types";
import { getCustomer, saveCustomer } from "../api/verbs";
import { i18n } from "../i18n";
import { problemText, tell } from "../problems";
import { changesOf, conflictsOf, tidy } from "./draft";

export interface Conflict {
  before: Customer;
  now: Customer;
  changes: Partial<CustomerDraft>;
}

export interface Editing {
  open: boolean;
  busy: boolean;
  problem: string;
  conflict: Conflict | null;
}

export interface Editor {
  view: Editing;
  /** Save what a form has, and say the card as it is then. */
  save(before: Customer, raw: CustomerDraft): Promise<void>;
  /** Save changes over what somebody else has stored meanwhile. */
  resolve(changes: Partial<CustomerDraft>): Promise<void>;
  stop(): void;
}

/** `onSaved` is told the card as it is stored, by oneself or by somebody else. */
export function useEditor(onSaved: (customer: Customer) => void): Editor {
  const view = reactive<Editing>({ open: false, busy: false, problem: "", conflict: null });

  async function send(before: Customer, changes: Partial<CustomerDraft>): Promise<void> {
    view.busy = true;
    view.problem = "";
    try {
      onSaved(await saveCustomer(before.id, before.version, changes));
      tell(i18n.global.t("customer.saved"));
      stop();
    } catch (error) {
      if (error instanceof Problem && error.status === 409) await compare(before, changes);
      else view.problem = problemText(error);
    } finally {
      view.busy = false;
    }
  }

  /** What nobody else touched is not asked about: it is saved at once on top of what is there now. */
  async function compare(before: Customer, changes: Partial<CustomerDraft>): Promise<void> {
    try {
      const now = await getCustomer(before.id);
      onSaved(now);
      if (conflictsOf(before, now, changes).length === 0) await send(now, onTop(before, now, changes));
      else view.conflict = { before, now, changes };
    } catch (error) {
      view.problem = problemText(error);
    }
  }

  function stop(): void {
    Object.assign(view, { open: false, conflict: null, problem: "" });
  }

  return {
    view,
    save: (before, raw) => send(before, changesOf(before, tidy(raw))),
    async resolve(changes) {
      const conflict = view.conflict;
      if (conflict) await send(conflict.now, onTop(conflict.before, conflict.now, changes));
    },
    stop,
  };
}

/** The server replaces all custom fields at once: those that others changed meanwhile go along as they are now. */
function onTop(before: Customer, now: Customer, changes: Partial<CustomerDraft>): Partial<CustomerDraft> {
  if (!changes.fields) return changes;
  const fields = { ...now.fields };
  for (const [code, value] of Object.entries(changes.fields)) {
    if ((before.fields[code] ?? "") === value) continue;
    if (value) fields[code] = value;
    else delete fields[code];
  }
  return { ...changes, fields };
}
