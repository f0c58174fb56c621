/**
 * Several windows of one agent: one of them, the leader, holds the stream; the others show what it tells them.
 *
 * The leader is who holds a Web Lock. The lock also keeps the browser from freezing a leader in the background. Where
 * the browser has no locks (a page over plain HTTP that is not on localhost), every window leads itself, and the
 * server's "replaced" keeps it to one.
 */
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
  leading = false;
  private readonly id = crypto.randomUUID();
  private readonly channel: BroadcastChannel;
  private readonly leaving = new AbortController();
  private readonly visible = new Set<string>();
  private release: (() => void) | undefined;
  private last: Shared | null = null;

  constructor(
    private readonly name: string,
    private readonly parts: TabParts,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event: MessageEvent<TabMessage>) => this.receive(event.data);
  }

  /** Join the other windows: lead when there is no leader, follow until then. */
  join(): void {
    if (!this.parts.locks) {
      this.lead();
      return;
    }
    this.send({ type: "ask" });
    this.parts.locks
      .request(this.name, { signal: this.leaving.signal }, () => {
        this.lead();
        return new Promise<void>((resolve) => (this.release = resolve));
      })
      .catch((problem: unknown) => {
        if ((problem as Error).name !== "AbortError") throw problem;
      });
  }

  /** Leave: the next window in line leads. */
  leave(): void {
    this.send({ type: "presence", tab: this.id, visible: false });
    this.leading = false;
    this.leaving.abort();
    this.release?.();
    this.channel.close();
  }

  /** The leader's news, for the others. */
  share(shared: Shared): void {
    this.last = shared;
    this.send({ type: "shared", shared });
  }

  /** A person closed a call's card in this window, which follows. */
  dismiss(callId: string): void {
    this.send({ type: "dismiss", callId });
  }

  /** Tell the others whether somebody looks at this window. */
  show(visible: boolean): void {
    this.note(this.id, visible);
    this.send({ type: "presence", tab: this.id, visible });
  }

  /** Whether somebody looks at any of the windows. */
  get seen(): boolean {
    return this.visible.size > 0;
  }

  private lead(): void {
    this.leading = true;
    this.parts.onLead(this.last?.state ?? EMPTY);
  }

  private send(message: TabMessage): void {
    if (!this.leaving.signal.aborted) this.channel.postMessage(message);
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
    if (this.leading && this.last) this.send({ type: "shared", shared: this.last });
    this.send({ type: "presence", tab: this.id, visible: this.visible.has(this.id) });
  }
}
