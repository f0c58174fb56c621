/**
 * One phone for several windows of one agent. The window that leads has it; the others show what it tells, and send it
 * their wishes. When it is closed, the next window in line has the phone, and takes its call up.
 */
import { Election } from "../stream/election";
import type { PhoneState } from "./state";

/** A person's wish, from any window. */
export interface Wish {
  verb: string;
  text?: string;
}

type Message = { type: "state"; state: PhoneState } | { type: "ask" } | { type: "wish"; wish: Wish };

export interface LeadParts {
  /** This window has the phone from now on. */
  onLead(): void;
  onState(state: PhoneState): void;
  onWish(wish: Wish): void;
  locks: Pick<LockManager, "request"> | undefined;
}

export class PhoneLead {
  private readonly election: Election<Message>;
  private last: PhoneState | null = null;

  constructor(
    name: string,
    private readonly parts: LeadParts,
  ) {
    this.election = new Election(name, {
      onLead: () => parts.onLead(),
      onMessage: (message) => this.receive(message),
      locks: parts.locks,
    });
  }

  get leading(): boolean {
    return this.election.leading;
  }

  /** Have the phone when nobody has it, and as soon as nobody has it any more. */
  join(): void {
    this.election.join({ type: "ask" });
  }

  leave(): void {
    this.election.leave();
  }

  /** The phone's state, for the windows without it. */
  share(state: PhoneState): void {
    this.last = state;
    this.election.send({ type: "state", state });
  }

  /** Do it here if the phone is here, or have it done. */
  wish(wish: Wish): void {
    if (this.leading) this.parts.onWish(wish);
    else this.election.send({ type: "wish", wish });
  }

  private receive(message: Message): void {
    if (message.type === "ask") {
      if (this.leading && this.last) this.election.send({ type: "state", state: this.last });
    } else if (message.type === "wish") {
      if (this.leading) this.parts.onWish(message.wish);
    } else if (!this.leading) {
      this.parts.onState(message.state);
    }
  }
}
