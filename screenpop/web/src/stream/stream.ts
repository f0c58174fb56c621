/**
 * The screen-pop stream's client: ticket, WebSocket, hello, welcome, numbered events, acknowledgment, resume.
 *
 * Losing the connection is ordinary: the client comes back by itself, from the number it had seen, or from a new
 * snapshot. It gives up only where coming back would be wrong: the session is over, or another window took its place.
 */
import { backoff } from "./backoff";
import { CLOSE, type Hello, type Notice, type Numbered, type Welcome } from "./messages";
import { EMPTY, apply, dismiss, welcome, type StreamState } from "./state";

/** `refused`: the server does not let pages of this address in. `replaced`: another window has the stream. */
export type Connection = "connecting" | "live" | "lost" | "replaced" | "refused" | "signed_out";

export interface Ticket {
  ticket: string;
  url: string;
}

/** The part of a browser's WebSocket that is used. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface StreamParts {
  /** A fresh ticket; rejects with an error whose `status` is 401 when nobody is logged in. */
  ticket(): Promise<Ticket>;
  open(url: string): Socket;
  onState(state: StreamState): void;
  onConnection(connection: Connection): void;
  onNotice(notice: Notice): void;
  random?: () => number;
}

const WELCOME_DEADLINE_MS = 10_000;

export class Stream {
  private state: StreamState = EMPTY;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private running = false;
  private live = false;
  private mayResume = true;
  /** Acknowledgments that could not be sent yet. */
  private owed = new Set<number>();

  constructor(private readonly parts: StreamParts) {}

  /** Connect, and stay connected. `known` is what another window had seen, to go on from there. */
  start(known: StreamState = EMPTY): void {
    this.state = known;
    this.running = true;
    this.attempt = 0;
    this.parts.onConnection("connecting");
    void this.connect();
  }

  /** Close, and stay closed. */
  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    this.drop();
  }

  /** Try now instead of after the back-off: the network is back, or somebody looks at the page again. */
  wake(): void {
    if (!this.running || this.socket) return;
    clearTimeout(this.timer);
    this.attempt = 0;
    void this.connect();
  }

  /** The browser says that the network is gone: do not wait for a TCP time-out to tell the agent. */
  lose(): void {
    if (!this.running || !this.socket) return;
    this.drop();
    this.retry();
  }

  /** Take a call off the screen. The server keeps a pop until then, so that a page that is loaded again has it. */
  dismiss(callId: string): void {
    const pop = this.state.pops[callId];
    if (pop && !pop.withdrawn) this.owed.add(pop.seq);
    if (this.live) this.acknowledge();
    this.become(dismiss(this.state, callId));
  }

  private become(state: StreamState): void {
    this.state = state;
    this.parts.onState(state);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.live = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private retry(): void {
    clearTimeout(this.timer);
    if (!this.running) return;
    this.parts.onConnection("lost");
    this.timer = setTimeout(() => void this.connect(), backoff(this.attempt, this.parts.random));
    this.attempt += 1;
  }

  private giveUp(connection: Connection): void {
    this.stop();
    this.parts.onConnection(connection);
  }

  private async connect(): Promise<void> {
    let ticket: Ticket;
    try {
      ticket = await this.parts.ticket();
    } catch (problem) {
      if ((problem as { status?: number }).status === 401) this.giveUp("signed_out");
      else this.retry();
      return;
    }
    if (!this.running || this.socket) return;
    const socket = this.parts.open(ticket.url);
    this.socket = socket;
    this.timer = setTimeout(() => this.lose(), WELCOME_DEADLINE_MS);
    socket.onopen = () => {
      const hello: Hello = { type: "hello", ticket: ticket.ticket };
      if (this.mayResume && this.state.session) {
        hello.resume = { session: this.state.session, seq: this.state.seq };
      }
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.closed(event.code);
  }

  private closed(code: number): void {
    this.socket = null;
    this.live = false;
    clearTimeout(this.timer);
    if (code === CLOSE.replaced) return this.giveUp("replaced");
    if (code === CLOSE.origin) return this.giveUp("refused");
    if (code === CLOSE.badMessage) this.mayResume = false;
    this.retry();
  }

  private receive(data: unknown): void {
    let message: Welcome | Numbered;
    try {
      message = JSON.parse(String(data)) as Welcome | Numbered;
    } catch {
      return this.restart();
    }
    if (message.type === "welcome") return this.welcomed(message);
    const result = apply(this.state, message);
    if (result.kind === "gap") return this.restart();
    if (result.kind === "stale") return;
    this.become(result.state);
    if (message.type === "notice") this.parts.onNotice(message);
  }

  private welcomed(message: Welcome): void {
    clearTimeout(this.timer);
    this.attempt = 0;
    this.mayResume = true;
    this.live = true;
    // Numbers of another session mean nothing to the server.
    if (!message.resumed) this.owed = unseen(this.state, message);
    this.become(welcome(this.state, message));
    this.parts.onConnection("live");
    this.acknowledge();
  }

  /** Something was missed or cannot be read: only a new snapshot is sure to be right. */
  private restart(): void {
    this.mayResume = false;
    this.drop();
    this.retry();
  }

  private acknowledge(): void {
    for (const seq of this.owed) this.socket?.send(JSON.stringify({ type: "ack", seq }));
    this.owed.clear();
  }
}

/** Pops that the server still keeps though they were taken off the screen while it could not be told. */
function unseen(state: StreamState, message: Welcome): Set<number> {
  const pops = message.snapshot?.pops ?? [];
  return new Set(pops.filter((pop) => state.dismissed.includes(pop.call_id)).map((pop) => pop.seq));
}
