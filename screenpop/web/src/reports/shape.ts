/** What of a report is shown where: its wish in the address, links of its numbers, and how they are written. */
import type { LocationQuery } from "vue-router";

import type { CallWish } from "../api/calls";
import { KINDS, type ReportKind, type ReportLine, type ReportNumber, type ReportPeriod, type ReportWish } from "../api/reports";
import { dayStart } from "../calls/wish";
import { formatDuration } from "../format";

export const FORMULAS = ["offered_less_short", "offered", "answered", "handled_in_time", "late_abandons"];
export const THRESHOLDS = ["5", "10", "15", "20", "30", "45", "60", "90", "120", "180", "300"];

const RATES = new Set(["service_level", "abandon_rate", "occupancy"]);
/** Where less is better. */
const WORSE = new Set(["abandoned", "abandon_rate", "asa_s", "missed", "calls_abandoned", "refused"]);

/** A day of this machine as `2026-03-01`. */
export function dayText(day: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

export function wishOf(query: LocationQuery): ReportWish {
  const text = (name: string, pattern: RegExp, other: string): string => {
    const value = query[name];
    return typeof value === "string" && pattern.test(value) ? value : other;
  };
  const one = <T extends string>(name: string, all: readonly T[], other: T): T =>
    all.find((value) => value === query[name]) ?? other;
  const day = /^\d{4}-\d\d-\d\d$/;
  return {
    kind: one("kind", KINDS, "queues"),
    since: text("since", day, dayText(dayStart(6))),
    until: text("until", day, dayText(dayStart(-1))),
    formula: one("formula", FORMULAS, "offered_less_short"),
    threshold: one("threshold", THRESHOLDS, "20"),
    queue: text("queue", /^.{1,80}$/, ""),
    compare: query["compare"] === "1",
  };
}

export function queryOf(wish: ReportWish): Record<string, string> {
  const { compare, queue, ...rest } = wish;
  return { ...rest, ...(queue ? { queue } : {}), ...(compare ? { compare: "1" } : {}) };
}

const BY_NUMBER: Record<string, CallWish> = {
  inbound: { direction: "inbound" },
  outbound: { direction: "outbound" },
  internal: { direction: "internal" },
  calls_answered: { status: "answered" },
  calls_abandoned: { status: "abandoned" },
};
const OF_QUEUES: Record<string, CallWish> = { answered: { exit: "answered" }, abandoned: { exit: "abandoned" }, offered: {} };

/** The calls behind a number, null where no list of calls is just these. */
export function callsOf(kind: ReportKind, line: ReportLine, name: string, period: ReportPeriod, queue: string): CallWish | null {
  const { since, until } = period;
  const times = { since, until };
  const plain = name === "calls" ? {} : BY_NUMBER[name];
  switch (kind) {
    case "queues": {
      const part = OF_QUEUES[name];
      return part && line.key ? { ...times, queue: line.key, ...part } : null;
    }
    case "agents":
      if (!line.key || !["answered", "dialed", "missed"].includes(name)) return null;
      if (name === "answered") return { ...times, agent: line.key, status: "answered" };
      return { ...times, agent: line.key, ...(name === "dialed" ? { direction: "outbound" } : {}) };
    case "numbers":
      return plain && line.key ? { ...times, did: line.key, direction: "inbound", ...plain } : null;
    case "outcomes":
      return plain && line.key ? { ...times, outcome: line.key, ...plain } : null;
    case "customers":
      return plain && line.key ? { ...times, customer: line.key, ...plain } : null;
    default: {
      const span = line.key ? spanOf(kind, line.key, period) : times;
      const part = plain ?? (name === "offered" ? null : OF_QUEUES[name]);
      return span && part ? { ...span, ...(queue ? { queue } : {}), ...part } : null;
    }
  }
}

/** From when to when a line of times is, null where it is not one stretch of time. */
function spanOf(kind: ReportKind, key: string, period: ReportPeriod): { since: string; until: string } | null {
  const iso = (at: Date): string => at.toISOString();
  if (kind === "days") {
    const [year = 0, month = 1, day = 1] = key.split("-").map(Number);
    return { since: iso(new Date(year, month - 1, day)), until: iso(new Date(year, month - 1, day + 1)) };
  }
  const first = new Date(period.since);
  const oneDay = new Date(first.getFullYear(), first.getMonth(), first.getDate() + 1).getTime() === Date.parse(period.until);
  if (kind !== "hours" || !oneDay) return null;
  const at = new Date(first.getFullYear(), first.getMonth(), first.getDate(), Number(key));
  return { since: iso(at), until: iso(new Date(at.getTime() + 3_600_000)) };
}

/** A number as people read it: a rate, a time or a count. */
export function written(name: string, number: ReportNumber | undefined, locale: string): string {
  const value = number?.value ?? null;
  if (value === null) return "–";
  if (RATES.has(name)) return value.toLocaleString(locale, { style: "percent", maximumFractionDigits: 1 });
  if (name.endsWith("_s")) return formatDuration(value);
  return value.toLocaleString(locale);
}

/** What a number was made of. */
export function madeOf(name: string, number: ReportNumber | undefined, locale: string): string {
  if (!number || number.denominator === null) return "";
  const part = (value: number): string => value.toLocaleString(locale, { maximumFractionDigits: 0 });
  const seconds = name.endsWith("_s") || name === "occupancy" ? " s" : "";
  return `${part(number.numerator)}${seconds} ÷ ${part(number.denominator)}${name === "occupancy" ? " s" : ""}`;
}

/** How a number changed: its share of before, and whether that is good; null where it cannot be said. */
export function changeOf(name: string, now: ReportNumber | undefined, before: ReportNumber | undefined): { share: number; good: boolean } | null {
  const [value, old] = [now?.value ?? null, before?.value ?? null];
  if (value === null || old === null || old === 0) return null;
  const share = value / old - 1;
  return { share, good: WORSE.has(name) ? share <= 0 : share >= 0 };
}
