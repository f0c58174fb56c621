/** Numbers, times and durations as people read them. */
import { shallowRef } from "vue";

import { serverNow } from "./api/http";

type Parse = (text: string) => { formatInternational(): string } | undefined;

const parse = shallowRef<Parse | null>(null);
const TOO_FEW_TO_GROUP = 7;

/** Load the rules for writing numbers; until they are there, numbers are shown plain. */
export async function loadNumberRules(): Promise<void> {
  const { parsePhoneNumberFromString } = await import("libphonenumber-js/min");
  parse.value = parsePhoneNumberFromString;
}

/** `+442079460958` as `+44 20 7946 0958`; what is not an international number stays as it is. */
export function formatNumber(number: string): string {
  if (!number.startsWith("+") || number.length < TOO_FEW_TO_GROUP) return number;
  return parse.value?.(number)?.formatInternational() ?? number;
}

/** Whether a text can be dialed: digits and what people write between them. */
export function isDialable(text: string): boolean {
  return /^\+?[\d\s()./*#-]{2,}$/.test(text.trim()) && /\d{2}/.test(text);
}

/** Seconds as `m:ss`, or `h:mm:ss` above an hour. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A moment of today as its time, any other with its day. */
export function formatMoment(at: string, locale: string, now: Date = new Date(serverNow())): string {
  const moment = new Date(at);
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (moment.toDateString() === now.toDateString()) return moment.toLocaleTimeString(locale, time);
  const day: Intl.DateTimeFormatOptions = { month: "short", day: "numeric" };
  if (moment.getFullYear() !== now.getFullYear()) day.year = "numeric";
  return moment.toLocaleString(locale, { ...day, ...time });
}

/** A moment as a field of the kind `datetime-local` has it: this machine's time, to the minute. */
export function asLocalInput(moment: Date): string {
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, "2026-11-23T08:00".length);
}
