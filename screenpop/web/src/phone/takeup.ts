/**
 * A call that outlives its page. WebRTC's sound dies with the page that has it; the call at the PBX does not, for some
 * seconds. What names its dialog (no password) is kept in the browser, so that the page which comes next can ask Asterisk
 * to put a new call in the old one's place (RFC 3891, Replaces). Pure.
 */

export interface Dialog {
  callId: string;
  /** The tags as the PBX sees them: its own, and ours. */
  remoteTag: string;
  localTag: string;
  number: string;
  name: string | null;
  incoming: boolean;
  answeredAt: number;
  /** When the page that had the call was last alive. */
  aliveAt: number;
}

/** Asterisk ends a call without sound after 30 s (pjsip.conf, rtp_timeout). */
const LASTS_MS = 30_000;

/** What is written into the browser's store. */
export const written = (dialog: Dialog): string => JSON.stringify(dialog);

/** Read it again; null where there is none, or where the PBX has surely ended it. */
export function recalled(text: string | null, now: number): Dialog | null {
  if (!text) return null;
  let found: Partial<Dialog>;
  try {
    found = JSON.parse(text) as Partial<Dialog>;
  } catch {
    return null;
  }
  const named = [found?.callId, found?.remoteTag, found?.localTag].every((part) => TOKEN.test(String(part ?? "")));
  const age = now - Number(found?.aliveAt);
  return named && age >= 0 && age < LASTS_MS ? (found as Dialog) : null;
}

/** Of a header's value: no line break, no separator. */
const TOKEN = /^[\w.!%*`'~+@:-]{1,200}$/;

/** The header that asks for the old call's place. */
export function replaces(dialog: Dialog): string {
  return `Replaces: ${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`;
}
