import { expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
vi.stubGlobal("HTMLElement", class {});
vi.stubGlobal("HTMLInputElement", class {});
const { meant } = await import("../src/desk/shortcuts");

const key = (name: string, more: object = {}): KeyboardEvent => ({ key: name, target: null, ...more }) as KeyboardEvent;
const act = (): void => undefined;

it("a key means what was said last and can be used now", () => {
  const all = [
    { key: "r", label: "first", act },
    { key: "r", label: "second", act },
    { key: "r", label: "third", act, when: () => false },
  ];
  expect(meant(key("r"), all, true)?.label).toBe("second");
  expect(meant(key("x"), all, true)).toBeUndefined();
});

it("a key with Control, or that somebody else has taken, means nothing", () => {
  const all = [{ key: "r", label: "first", act }];
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }, { defaultPrevented: true }]) {
    expect(meant(key("r", more), all, true)).toBeUndefined();
  }
});

it("letters can be turned off, Escape cannot", () => {
  const all = [
    { key: "r", label: "letter", act },
    { key: "Escape", label: "escape", act },
  ];
  expect(meant(key("r"), all, false)).toBeUndefined();
  expect(meant(key("Escape"), all, false)?.label).toBe("escape");
});
