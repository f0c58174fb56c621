/**
 * Several windows of one agent: the one that leads holds the stream; the others show what it tells them. Where every
 * window leads itself, the server's "replaced" keeps it to one.
 */
import { Election } from "./election";
import type { Connection } from "./stream";
import { EMPTY, type StreamState } from "./state";

export interface Shared {
  state: StreamState;
  connection: Connection;
}

type TabMessage =
  | { type: "shared"; shared: Shared }
  | { type: "ask" }
  | { type: "dismiss"; callId: string }
  | { type: "presence"; tab: string; visible: boolean };

export interface TabParts {
  /** This window leads from now on; `known` is what the last leader told. */
  onLead(known: StreamState): void;
  /** The leader's news, in a window that follows. */
  onShared(shared: Shared): void;
  /** A follower's wish, in the leader. */
  onDismiss(callId: string): void;
  locks: Pick<LockManager, "request"> | undefined;
}

export class Tabs {
  private readonly id = crypto.randomUUID();
  private readonly election: Election<TabMessage>;
  private readonly visible = new Set<string>();
  private last: Shared | null = null;

  constructor(
    name: string,
    private readonly parts: TabParts,
  ) {
    this.election = new Election(name, {
      onLead: () => parts.onLead(this.last?.state ?? EMPTY),
      onMessage: (message) => this.receive(message),
      locks: parts.locks,
    });
  }

  get leading(): boolean {
    return this.election.leading;
  }

  /** Join the other windows: lead when there is no leader, follow until then. */
  join(): void {
    this.election.join({ type: "ask" });
  }

  /** Leave: the next window in line leads. */
  leave(): void {
    this.election.send({ type: "presence", tab: this.id, visible: false });
    this.election.leave();
  }

  /** The leader's news, for the others. */
  share(shared: Shared): void {
    this.last = shared;
    this.election.send({ type: "shared", shared });
  }

  /** A person closed a call's card in this window, which follows. */
  dismiss(callId: string): void {
    this.election.send({ type: "dismiss", callId });
  }

  /** Tell the others whether somebody looks at this window. */
  show(visible: boolean): void {
    this.note(this.id, visible);
    this.election.send({ type: "presence", tab: this.id, visible });
  }

  /** Whether somebody looks at any of the windows. */
  get seen(): boolean {
    return this.visible.size > 0;
  }

  private note(tab: string, visible: boolean): void {
    if (visible) this.visible.add(tab);
    else this.visible.delete(tab);
  }

  private receive(message: TabMessage): void {
    if (message.type === "presence") this.note(message.tab, message.visible);
    else if (message.type === "ask") this.answer();
    else if (message.type === "dismiss") this.leading && this.parts.onDismiss(message.callId);
    else if (!this.leading) {
      this.last = message.shared;
      this.parts.onShared(message.shared);
    }
  }

  private answer(): void {
    if (this.leading && this.last) this.election.send({ type: "shared", shared: this.last });
    this.election.send({ type: "presence", tab: this.id, visible: this.visible.has(this.id) });
  }
}
