/**
 * Several windows of one agent, of which one leads: who holds a Web Lock. When it is closed, the next window in line
 * leads. The lock also keeps the browser from freezing a leader in the background. Where the browser has no locks (a
 * page over plain HTTP that is not on localhost), every window leads itself.
 */
export interface ElectionParts<Message> {
  /** This window leads from now on. */
  onLead(): void;
  /** What another window said. */
  onMessage(message: Message): void;
  locks: Pick<LockManager, "request"> | undefined;
}

export class Election<Message> {
  leading = false;
  private readonly channel: BroadcastChannel;
  private readonly leaving = new AbortController();
  private release: (() => void) | undefined;

  constructor(
    private readonly name: string,
    private readonly parts: ElectionParts<Message>,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event: MessageEvent<Message>) => parts.onMessage(event.data);
  }

  /** Lead when there is no leader, and wait in line for it until then; `question` is for the leader that there is. */
  join(question: Message): void {
    if (!this.parts.locks) {
      this.lead();
      return;
    }
    this.send(question);
    this.parts.locks
      .request(this.name, { signal: this.leaving.signal }, () => {
        this.lead();
        return new Promise<void>((resolve) => (this.release = resolve));
      })
      .catch((problem: unknown) => {
        if ((problem as Error).name !== "AbortError") throw problem;
      });
  }

  leave(): void {
    this.leading = false;
    this.leaving.abort();
    this.release?.();
    this.channel.close();
  }

  /** Tell all other windows. */
  send(message: Message): void {
    if (!this.leaving.signal.aborted) this.channel.postMessage(message);
  }

  private lead(): void {
    this.leading = true;
    this.parts.onLead();
  }
}
