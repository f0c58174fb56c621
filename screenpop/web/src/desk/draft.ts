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
    fields: { ...customer?.fields },
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
    fields: Object.fromEntries(Object.entries(draft.fields).filter(([, value]) => value.trim() !== "")),
  };
}

/** Tags as a person writes them: between commas, also Chinese ones. */
export function readTags(text: string): string[] {
  return [...new Set(text.split(/[,，、]/).map((tag) => tag.trim()).filter(Boolean))];
}

export type DraftField = keyof CustomerDraft;

export interface Difference {
  /** Unique among the differences of a customer. */
  key: string;
  field: DraftField;
  /** Of a custom field. */
  code: string | null;
  now: string;
  yours: string;
}

const FIELDS: DraftField[] = ["name", "company", "email", "address", "phones", "tags", "note", "fields"];

function show(draft: CustomerDraft, field: Exclude<DraftField, "fields">): string {
  const value = draft[field];
  if (value === null) return "";
  if (typeof value === "string") return value;
  return value.map((one) => (typeof one === "string" ? one : one.number)).join(", ");
}

/** Objects with the same content are the same, in whatever order. */
const key = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** What of a draft a person has changed: only that is sent, so that nobody writes over what they did not touch. */
export function changesOf(before: Customer, draft: CustomerDraft): Partial<CustomerDraft> {
  const stored = tidy(draftOf(before, null, null));
  const changed = FIELDS.filter((field) => key(stored[field]) !== key(draft[field]));
  return Object.fromEntries(changed.map((field) => [field, draft[field]]));
}

/** Where a person's changes touch what somebody else has changed as well, to something else. */
export function conflictsOf(before: Customer, now: Customer, changes: Partial<CustomerDraft>): Difference[] {
  const [old, stored] = [draftOf(before, null, null), draftOf(now, null, null)];
  const mine = { ...old, ...changes };
  const found: Difference[] = [];
  for (const field of FIELDS) {
    if (field === "fields" || !(field in changes)) continue;
    const [was, is, wanted] = [show(old, field), show(stored, field), show(mine, field)];
    if (is !== was && is !== wanted) found.push({ key: field, field, code: null, now: is, yours: wanted });
  }
  const codes = new Set([...Object.keys(old.fields), ...Object.keys(changes.fields ?? old.fields)]);
  for (const code of codes) {
    const [was, is, wanted] = [old, stored, mine].map((one) => one.fields[code] ?? "") as [string, string, string];
    if (wanted !== was && is !== was && is !== wanted) {
      found.push({ key: `field:${code}`, field: "fields", code, now: is, yours: wanted });
    }
  }
  return found;
}
