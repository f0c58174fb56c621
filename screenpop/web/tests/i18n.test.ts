import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { baseCompile } from "@intlify/message-compiler";
import { describe, expect, it } from "vitest";

import { LANGUAGES, closest } from "../src/i18n";

const SOURCE = join(import.meta.dirname, "../src");

function flatten(value: object, prefix = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string") all.set(prefix + key, inner);
    else for (const [k, text] of flatten(inner as object, `${prefix}${key}.`)) all.set(k, text);
  }
  return all;
}

const texts = new Map(
  LANGUAGES.map(({ code }) => [
    code,
    flatten(JSON.parse(readFileSync(join(SOURCE, `locales/${code}.json`), "utf8")) as object),
  ]),
);
const english = texts.get("en")!;
const source = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(vue|ts)$/.test(name))
  .map((name) => readFileSync(join(SOURCE, name), "utf8"))
  .join("\n");

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort();

describe.each(LANGUAGES.map(({ code }) => code))("%s", (code) => {
  const own = texts.get(code)!;

  it("has every text and no other", () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("fills in the same parts", () => {
    for (const [key, text] of own) expect([key, placeholders(text)]).toEqual([key, placeholders(english.get(key)!)]);
  });

  it("leaves nothing empty that is not empty in English", () => {
    for (const [key, text] of own) expect([key, text === ""]).toEqual([key, english.get(key) === ""]);
  });

  it("can be read by the message compiler", () => {
    for (const [key, text] of own) {
      const errors: unknown[] = [];
      baseCompile(text, { onError: (error) => errors.push(error) });
      expect([key, errors]).toEqual([key, []]);
    }
  });
});

describe("the page's texts", () => {
  const named = [...source.matchAll(/(?<!=)["'`]([a-z]\w*(?:\.\w+)+)["'`]/g)].map((found) => found[1]!);
  const prefixes = [...source.matchAll(/`([a-z]\w*(?:\.\w+)*\.)\$\{/g)].map((found) => found[1]!);
  const groups = new Set([...english.keys()].map((key) => key.split(".")[0]!));

  it("all exist", () => {
    const asked = [...source.matchAll(/\bt\(\s*"([^"]+)"/g)].map((found) => found[1]!);
    expect(asked.filter((key) => !english.has(key))).toEqual([]);
    expect(asked.length).toBeGreaterThan(80);
    const keys = named.filter((key) => groups.has(key.split(".")[0]!) && /^[a-z]+\.\w+$/.test(key));
    expect(keys.filter((key) => !english.has(key))).toEqual([]);
    for (const prefix of prefixes) expect([...english.keys()].some((key) => key.startsWith(prefix))).toBe(true);
  });

  it("are all used", () => {
    const used = (key: string): boolean => named.includes(key) || prefixes.some((prefix) => key.startsWith(prefix));
    expect([...english.keys()].filter((key) => !used(key))).toEqual([]);
  });
});

it("text from outside is never put in as HTML", () => {
  expect(source).not.toMatch(/v-html|innerHTML|insertAdjacentHTML|dangerouslyUseHTMLString/);
});

describe("the closest language", () => {
  it.each([
    ["en-GB", "en"],
    ["zh", "zh-CN"],
    ["zh-Hans-SG", "zh-CN"],
    ["zh-HK", "zh-TW"],
    ["zh-Hant", "zh-TW"],
    ["fr", null],
  ])("of %s is %s", (tag, language) => {
    expect(closest(tag)).toBe(language);
  });
});
