import { expect, it } from "vitest";

import { differences, draftOf, readTags, tidy } from "../src/desk/draft";
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

it("two people's changes are told apart field by field", () => {
  const yours = { ...draftOf(customer(), null, null), name: "Maggie Chen" };
  const now = customer({ company: "Harbor Optics", version: 2 });
  expect(differences(now, yours)).toEqual([
    { field: "name", now: "Margaret Chen", yours: "Maggie Chen" },
    { field: "company", now: "Harbor Optics", yours: "Harbor Light Optics" },
  ]);
});
