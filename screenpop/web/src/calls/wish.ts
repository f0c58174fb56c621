/** Filters of the call log in the address of the page, so that any number can lead to its calls. */
import type { LocationQuery, RouteLocationRaw } from "vue-router";

import { type CallWish, FILTERS } from "../api/calls";
import { serverNow } from "../api/http";

const TOO_LONG = 200;

/** The filters in an address; what is empty or not of the log is left out. */
export function wishOf(query: LocationQuery): CallWish {
  const wish: CallWish = {};
  for (const name of FILTERS) {
    const value = query[name];
    if (typeof value === "string" && value !== "" && value.length <= TOO_LONG) wish[name] = value;
  }
  return wish;
}

/** The page of the calls that a wish means. */
export function callsPage(wish: CallWish): RouteLocationRaw {
  return { name: "calls", query: { ...wish } };
}

/** Today's calls, since this machine's midnight. */
export function callsToday(wish: CallWish): RouteLocationRaw {
  return callsPage({ ...wish, since: dayStart(0).toISOString() });
}

/** Midnight of this machine's day, some days ago. */
export function dayStart(daysAgo: number): Date {
  const start = new Date(serverNow());
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - daysAgo);
  return start;
}
