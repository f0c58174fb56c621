/** A customer as a form edits it, and what two people's changes differ in: pure functions. */
import type { Customer, CustomerDraft } from "../api/types";

/** What a form starts with: the customer, or a new one with the number of the call. */
export function draftOf(customer: Customer | null, number: string | null, name: string | null): CustomerDraft {
  return {
    name: customer?.name ?? (name && name !== number ? name : ""),
    company: customer?.company ?? null,
    email: customer?.email ?? null,
    address: customer?.address ?? null,
    tags: [...(customer?.tags ?? [])],
    phones: customer
      ? customer.phones.map((phone) => ({ number: phone.number, label: phone.label }))
      : number
        ? [{ number, label: null }]
        : [],
    note: customer?.note ?? null,
  };
}

/** Fields that were emptied are null, which is how the server says "nothing". */
export function tidy(draft: CustomerDraft): CustomerDraft {
  const some = (text: string | null): string | null => text?.trim() || null;
  return {
    ...draft,
    company: some(draft.company),
    email: some(draft.email),
    address: some(draft.address),
    note: some(draft.note),
    phones: draft.phones.map((phone) => ({ number: phone.number.trim(), label: some(phone.label) })),
  };
}

/** Tags as a person writes them: between commas, also Chinese ones. */
export function readTags(text: string): string[] {
  return [...new Set(text.split(/[,，、]/).map((tag) => tag.trim()).filter(Boolean))];
}

export type DraftField = keyof CustomerDraft;

export interface Difference {
  field: DraftField;
  now: string;
  yours: string;
}

const FIELDS: DraftField[] = ["name", "company", "email", "address", "phones", "tags", "note"];

function show(draft: CustomerDraft, field: DraftField): string {
  const value = draft[field];
  if (value === null) return "";
  if (typeof value === "string") return value;
  return value.map((one) => (typeof one === "string" ? one : one.number)).join(", ");
}

/** What of a draft a person has changed: only that is sent, so that nobody writes over what they did not touch. */
export function changesOf(before: Customer, draft: CustomerDraft): Partial<CustomerDraft> {
  const stored = tidy(draftOf(before, null, null));
  const changed = FIELDS.filter((field) => JSON.stringify(stored[field]) !== JSON.stringify(draft[field]));
  return Object.fromEntries(changed.map((field) => [field, draft[field]]));
}

/** Where a person's changes differ from what is stored now. */
export function differences(now: Customer, yours: Partial<CustomerDraft>): Difference[] {
  const stored = draftOf(now, null, null);
  const mine = { ...stored, ...yours };
  return FIELDS.map((field) => ({ field, now: show(stored, field), yours: show(mine, field) })).filter(
    (one) => one.now !== one.yours,
  );
}
