import { beforeAll, describe, expect, it } from "vitest";

import { formatDuration, formatMoment, formatNumber, isDialable, loadNumberRules } from "../src/format";

beforeAll(loadNumberRules);

describe("numbers", () => {
  it.each([
    ["+442079460958", "+44 20 7946 0958"],
    ["+862155550142", "+86 21 5555 0142"],
    ["1001", "1001"],
    ["+1", "+1"],
    ["anonymous", "anonymous"],
    ["+999999999999", "+999999999999"],
  ])("%s is written %s", (raw, shown) => {
    expect(formatNumber(raw)).toBe(shown);
  });

  it.each(["1001", "+44 20 7946 0958", "(503) 555-0142", "*97", "503.555.0142"])("%s can be dialed", (text) => {
    expect(isDialable(text)).toBe(true);
  });

  it.each(["", "1", "Chen", "chen 12", "陈", "+", "--"])("%s cannot be dialed", (text) => {
    expect(isDialable(text)).toBe(false);
  });
});

describe("times", () => {
  it.each([
    [0, "0:00"],
    [65.9, "1:05"],
    [3661, "1:01:01"],
    [-3, "0:00"],
  ])("%d seconds are %s", (seconds, shown) => {
    expect(formatDuration(seconds)).toBe(shown);
  });

  it("of today have no day, of another year have their year", () => {
    const now = new Date(2026, 4, 1, 12, 0);
    expect(formatMoment(new Date(2026, 4, 1, 9, 5).toISOString(), "en", now)).toBe("09:05");
    expect(formatMoment(new Date(2026, 3, 30, 9, 5).toISOString(), "en", now)).toContain("Apr 30");
    expect(formatMoment(new Date(2025, 3, 30, 9, 5).toISOString(), "en", now)).toContain("2025");
  });
});
