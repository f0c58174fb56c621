import { expect, it } from "vitest";

import { changesOf, differences, draftOf, readTags, tidy } from "../src/desk/draft";
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

it("a conflict shows one's own changes beside what is stored, and nothing else", () => {
  const now = customer({ name: "M. Chen", company: "Harbor Optics", version: 2 });
  expect(differences(now, { name: "Maggie Chen" })).toEqual([
    { field: "name", now: "M. Chen", yours: "Maggie Chen" },
  ]);
});
