import { expect, it } from "vitest";

import { changesOf, conflictsOf, draftOf, readTags, tidy } from "../src/desk/draft";
import { customer } from "./samples";

it("a new customer starts with the caller's number and name", () => {
  const draft = draftOf(null, "+15035550142", "M CHEN");
  expect(draft.phones).toEqual([{ number: "+15035550142", label: null }]);
  expect(draft.name).toBe("M CHEN");
});

it("a number that stands for a name is no name", () => {
  expect(draftOf(null, "+15035550142", "+15035550142").name).toBe("");
});

it("emptied fields become nothing", () => {
  const draft = tidy({ ...draftOf(customer(), null, null), company: "  ", note: "" });
  expect([draft.company, draft.note]).toEqual([null, null]);
});

it("tags are read between commas of any script, each once", () => {
  expect(readTags("gold, 重要客户，gold、vip,")).toEqual(["gold", "重要客户", "vip"]);
});

it("only what a person has changed is sent", () => {
  const draft = tidy({ ...draftOf(customer(), null, null), name: "Maggie Chen" });
  expect(changesOf(customer(), draft)).toEqual({ name: "Maggie Chen" });
});

it("a conflict is where both have changed the same field to something else, and nothing else", () => {
  const before = customer();
  const now = customer({ name: "M. Chen", company: "Harbor Optics", version: 2 });
  expect(conflictsOf(before, now, { name: "Maggie Chen" })).toEqual([
    { key: "name", field: "name", code: null, now: "M. Chen", yours: "Maggie Chen" },
  ]);
  expect(conflictsOf(before, now, { name: "M. Chen" })).toEqual([]);
  expect(conflictsOf(before, now, { note: "in the morning" })).toEqual([]);
});

it("custom fields are compared one by one", () => {
  const before = customer({ fields: { contract: "A", size: "1" } });
  const now = customer({ fields: { contract: "B", size: "2" }, version: 2 });
  expect(conflictsOf(before, now, { fields: { contract: "C", size: "1" } })).toEqual([
    { key: "field:contract", field: "fields", code: "contract", now: "B", yours: "C" },
  ]);
});

it("custom fields in another order are the same", () => {
  const draft = tidy({ ...draftOf(customer({ fields: { a: "1", b: "2" } }), null, null), fields: { b: "2", a: "1" } });
  expect(changesOf(customer({ fields: { a: "1", b: "2" } }), draft)).toEqual({});
});
