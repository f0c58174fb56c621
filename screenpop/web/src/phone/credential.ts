/** Keeps the phone's password good: asks for the next one in time, and again after a failure. In memory only. */
import { serverNow } from "../api/http";
import { askCredential, type PhoneCredential } from "../api/phone";

export interface CredentialParts {
  ask?: (takeOver: boolean) => Promise<PhoneCredential>;
  onCredential(credential: PhoneCredential): void;
  /** Another browser has the phone, or the service gives no password to this one; both end the asking. */
  onRefused(reason: "elsewhere" | "refused"): void;
  now?: () => number;
}

/** A password is renewed after this part of its life. */
const RENEW_AT = 0.6;
const AGAIN_MS = [1_000, 2_000, 5_000, 10_000];
/** Answers after which asking again changes nothing: not logged in, not allowed, no such phone. */
const FINAL = [401, 403, 404];

export class Credential {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private stopped = false;
  private asking = false;

  constructor(private readonly parts: CredentialParts) {}

  /** Ask for a password, and for the next ones until `stop`. */
  async start(takeOver = false): Promise<void> {
    if (this.asking || this.stopped) return;
    clearTimeout(this.timer);
    this.asking = true;
    try {
      const credential = await (this.parts.ask ?? askCredential)(takeOver);
      if (this.stopped) return;
      this.failures = 0;
      this.parts.onCredential(credential);
      const life = Date.parse(credential.expires_at) - (this.parts.now ?? serverNow)();
      this.later(Math.max(AGAIN_MS[0]!, life * RENEW_AT));
    } catch (problem) {
      this.failed((problem as { status?: number }).status ?? 0);
    } finally {
      this.asking = false;
    }
  }

  /** Asterisk did not take the password: it may have been restarted, or the service. */
  refused(): void {
    this.later(this.pause());
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private failed(status: number): void {
    if (this.stopped) return;
    if (status === 409) this.parts.onRefused("elsewhere");
    else if (FINAL.includes(status)) this.parts.onRefused("refused");
    else this.later(this.pause());
  }

  private pause(): number {
    this.failures += 1;
    return AGAIN_MS[Math.min(this.failures, AGAIN_MS.length) - 1]!;
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.start(), ms);
  }
}
