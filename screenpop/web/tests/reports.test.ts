import { expect, it } from "vitest";

import type { ReportLine, ReportPeriod } from "../src/api/reports";
import { callsOf, changeOf, madeOf, queryOf, wishOf, written } from "../src/reports/shape";

const line = (key: string): ReportLine => ({ key, name: null, numbers: {}, waits: [], talks: [] });
const whole: ReportPeriod = {
  since: new Date(2026, 2, 2).toISOString(),
  until: new Date(2026, 2, 9).toISOString(),
  lines: [],
  total: line(""),
};
const times = { since: whole.since, until: whole.until };

it("keeps its wish in the address", () => {
  const wish = wishOf({ kind: "hours", since: "2026-03-01", until: "2026-03-02", queue: "sales", compare: "1", threshold: "30" });
  expect(wishOf(queryOf(wish))).toEqual(wish);
  expect(wishOf({ kind: "nonsense", since: "yesterday", threshold: "7" })).toMatchObject({ kind: "queues", threshold: "20" });
});

it("leads from a number to exactly its calls, or nowhere", () => {
  expect(callsOf("queues", line("sales"), "abandoned", whole, "")).toEqual({ ...times, queue: "sales", exit: "abandoned" });
  expect(callsOf("queues", line("sales"), "refused", whole, "")).toBeNull();
  expect(callsOf("numbers", line("+441"), "calls_answered", whole, "")).toEqual({
    ...times,
    did: "+441",
    direction: "inbound",
    status: "answered",
  });
  expect(callsOf("days", line("2026-03-03"), "inbound", whole, "")).toEqual({
    since: new Date(2026, 2, 3).toISOString(),
    until: new Date(2026, 2, 4).toISOString(),
    direction: "inbound",
  });
  expect(callsOf("hours", line("09"), "calls", whole, "")).toBeNull();
  const day = { ...whole, until: new Date(2026, 2, 3).toISOString() };
  expect(callsOf("hours", line("09"), "answered", day, "sales")).toEqual({
    since: new Date(2026, 2, 2, 9).toISOString(),
    until: new Date(2026, 2, 2, 10).toISOString(),
    queue: "sales",
    exit: "answered",
  });
  expect(callsOf("outcomes", line(""), "calls", whole, "")).toBeNull();
});

it("writes rates, times and counts, and what they were made of", () => {
  const rate = { value: 0.8125, numerator: 13, denominator: 16 };
  expect(written("service_level", rate, "en")).toBe("81.3%");
  expect(madeOf("service_level", rate, "en")).toBe("13 ÷ 16");
  expect(written("asa_s", { value: 75, numerator: 150, denominator: 2 }, "en")).toBe("1:15");
  expect(written("offered", { value: 1234, numerator: 1234, denominator: null }, "en")).toBe("1,234");
  expect(written("asa_s", { value: null, numerator: 0, denominator: 0 }, "en")).toBe("–");
});

it("says whether a change is good", () => {
  const number = (value: number | null): { value: number | null; numerator: number; denominator: null } => ({ value, numerator: 0, denominator: null });
  expect(changeOf("abandoned", number(5), number(10))).toEqual({ share: -0.5, good: true });
  expect(changeOf("answered", number(5), number(10))).toEqual({ share: -0.5, good: false });
  expect(changeOf("answered", number(5), number(0))).toBeNull();
});
