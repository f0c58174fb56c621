/** What the reports ask of the REST API; each throws `Problem`. */
import { request } from "./http";

export const KINDS = ["queues", "agents", "days", "hours", "week", "numbers", "outcomes", "customers"] as const;
export type ReportKind = (typeof KINDS)[number];

/** A number with what it was made of; a count has no denominator. */
export interface ReportNumber {
  value: number | null;
  numerator: number;
  denominator: number | null;
}

export interface ReportLine {
  key: string;
  name: string | null;
  numbers: Record<string, ReportNumber>;
  waits: number[];
  talks: number[];
}

export interface ReportPeriod {
  since: string;
  until: string;
  lines: ReportLine[];
  total: ReportLine;
}

export interface Report {
  kind: ReportKind;
  formula: string;
  threshold_s: number;
  edges_s: number[];
  period: ReportPeriod;
  before: ReportPeriod | null;
}

/** What is asked, as the address of the page has it too. Days are `2026-03-01`; `until` is the day after the last. */
export interface ReportWish {
  kind: ReportKind;
  since: string;
  until: string;
  formula: string;
  threshold: string;
  queue: string;
  compare: boolean;
}

function queryOf(wish: ReportWish): Record<string, string> {
  const { since, until, formula, threshold, queue, compare } = wish;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const asked: Record<string, string> = { since, until, formula, threshold_s: threshold, zone };
  if (queue) asked["queue"] = queue;
  if (compare) asked["compare"] = "true";
  return asked;
}

export const getReport = (wish: ReportWish): Promise<Report> =>
  request("GET", `/reports/${wish.kind}`, { query: queryOf(wish) });
/** Where the same is had as a file. */
export const exportUrl = (wish: ReportWish): string =>
  `/api/v1/reports/${wish.kind}/export?${new URLSearchParams(queryOf(wish))}`;
