import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Note } from "../src/desk/note";

let saved: string[];
let fails: boolean;
let release: (() => void) | null;
let slow: boolean;
let note: Note;

beforeEach(() => {
  vi.useFakeTimers();
  saved = [];
  fails = slow = false;
  release = null;
  note = new Note(async (text) => {
    if (slow) await new Promise<void>((resolve) => (release = resolve));
    if (fails) throw new Error("no");
    saved.push(text);
  });
});

afterEach(() => vi.useRealTimers());

it("is saved once, after a pause", async () => {
  note.write("price");
  note.write("price list");
  expect(note.view.state).toBe("waiting");
  await vi.advanceTimersByTimeAsync(800);
  expect(saved).toEqual(["price list"]);
  expect(note.view.state).toBe("saved");
});

it("says when it is not saved, and can be tried again", async () => {
  fails = true;
  note.write("price");
  await vi.advanceTimersByTimeAsync(800);
  expect(note.view.state).toBe("failed");
  expect(note.unsaved).toBe(true);
  fails = false;
  await note.flush();
  expect(saved).toEqual(["price"]);
  expect(note.unsaved).toBe(false);
});

it("does not retry by itself without end", async () => {
  fails = true;
  note.write("price");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(note.view.state).toBe("failed");
});

it("saves what was written while it was being saved", async () => {
  slow = true;
  note.write("one");
  await vi.advanceTimersByTimeAsync(800);
  note.write("one two");
  slow = false;
  release?.();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(saved).toEqual(["one", "one two"]);
  expect(note.view.state).toBe("saved");
});

it("shows what the server has, but never over what was written", () => {
  note.load("from a colleague");
  expect(note.view.text).toBe("from a colleague");
  const other = new Note(async () => undefined);
  other.write("mine");
  other.load("from a colleague");
  expect(other.view.text).toBe("mine");
});

it("can be emptied", async () => {
  note.load("old");
  note.write("");
  await vi.advanceTimersByTimeAsync(800);
  expect(saved).toEqual([""]);
});
