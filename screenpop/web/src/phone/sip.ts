/** JsSIP, told apart from everything else: SIP and WebRTC in, the phone's own events out. Loaded when a phone is. */
import * as jssip from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent } from "jssip/lib/UA";

import type { PhoneCredential } from "../api/phone";
import { microphone, NoMicrophone, play } from "./audio";
import { sampleOf, qualityBetween, type Report, type Sample } from "./quality";
import type { PhoneCall, PhoneEvent } from "./state";
import { replaces, type Dialog } from "./takeup";

export interface SipParts {
  emit(event: PhoneEvent): void;
  /** What names a call that goes on, again and again; null when it is over. */
  onDialog(id: string, dialog: Dialog | null): void;
  /** A transfer did not come about, a call could not be taken up, there is no microphone. */
  onTrouble(what: "transfer" | "takeUp" | "microphone" | "call"): void;
  /** Asterisk does not take the password: the session is over, or it was renewed meanwhile. */
  onRefused(): void;
}

const REGISTER_S = 90;
const STATISTICS_MS = 2_000;
/** With a STUN server that does not answer, candidates come for 40 s; those of this network are there at once. */
const GATHER_MS = 700;
const RECOVER_S = { min: 1, max: 5 };

interface Line {
  session: RTCSession;
  call: PhoneCall;
  sample: Sample | null;
  silence: (() => void) | null;
  stream: MediaStream | null;
}

interface WithDialog {
  _dialog: { id: { call_id: string; local_tag: string; remote_tag: string } } | null;
}

export class SipPhone {
  private readonly ua: jssip.UA;
  private readonly lines = new Map<string, Line>();
  private readonly statistics: ReturnType<typeof setInterval>;
  private nextConsultsFor: string | null = null;
  private lost = false;

  constructor(
    private readonly credential: PhoneCredential,
    private readonly parts: SipParts,
  ) {
    const host = new URL(credential.url).hostname;
    this.ua = new jssip.UA({
      sockets: [new jssip.WebSocketInterface(credential.url)],
      uri: `sip:${credential.extension}@${host}`,
      password: credential.password,
      display_name: credential.name ?? credential.extension,
      register: true,
      register_expires: REGISTER_S,
      session_timers: false,
      connection_recovery_min_interval: RECOVER_S.min,
      connection_recovery_max_interval: RECOVER_S.max,
      user_agent: "callcenter-desk",
    });
    this.ua.on("registered", () => this.registered());
    // It comes with each lost connection too, about which more is known.
    this.ua.on("unregistered", () => this.lost || parts.emit({ type: "registration", registration: "connecting" }));
    this.ua.on("registrationFailed", (event: { response?: { status_code: number } | null }) => {
      if (event.response) parts.onRefused();
      else parts.emit({ type: "registration", registration: "lost" });
    });
    this.ua.on("disconnected", () => {
      this.lost = true;
      parts.emit({ type: "registration", registration: "lost" });
    });
    this.ua.on("newRTCSession", (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
      if (event.session.direction === "incoming") this.rings(event.session);
    });
    this.statistics = setInterval(() => void this.measure(), STATISTICS_MS);
    parts.emit({ type: "registration", registration: "connecting" });
    this.ua.start();
  }

  /** A new password, for what is sent from now on. */
  renew(password: string): void {
    this.ua.set("password", password);
  }

  /** Try to register now. */
  register(): void {
    this.ua.register();
  }

  /** Unregister, and let go of everything; calls are hung up only where they must not be taken up. */
  close(hangUp: boolean): void {
    clearInterval(this.statistics);
    if (hangUp) this.ua.stop();
    else for (const line of this.lines.values()) this.release(line);
  }

  async answer(id: string): Promise<void> {
    const line = this.lines.get(id);
    if (!line || !line.session.isInProgress()) return;
    await this.holdOthers(id);
    const stream = await this.listen(line);
    if (stream && line.session.isInProgress()) {
      line.session.answer({ mediaStream: stream, pcConfig: this.path() });
    }
  }

  hangUp(id: string): void {
    const session = this.lines.get(id)?.session;
    if (session && !session.isEnded()) session.terminate(session.isEstablished() ? {} : { status_code: 603 });
  }

  hold(id: string): void {
    this.lines.get(id)?.session.hold();
  }

  async resume(id: string): Promise<void> {
    await this.holdOthers(id);
    this.lines.get(id)?.session.unhold();
  }

  mute(id: string, muted: boolean): void {
    const session = this.lines.get(id)?.session;
    if (muted) session?.mute({ audio: true });
    else session?.unmute({ audio: true });
  }

  press(id: string, keys: string): void {
    // RFC 4733, in the sound's own stream: what menus and mailboxes listen to.
    this.lines.get(id)?.session.sendDTMF(keys, { transportType: "RFC2833" as never });
  }

  /** Call a number; `consultsFor`: about a call that is put on hold for it. */
  async call(number: string, consultsFor: string | null = null, takesUp: Dialog | null = null): Promise<void> {
    const waits = consultsFor ? this.lines.get(consultsFor) : undefined;
    if (waits && !waits.session.isOnHold().local) waits.session.hold();
    let stream: MediaStream;
    try {
      stream = await microphone();
    } catch (problem) {
      this.silent(problem);
      return;
    }
    this.nextConsultsFor = consultsFor;
    const session = this.ua.call(`sip:${encodeURIComponent(number)}@${this.host()}`, {
      mediaStream: stream,
      pcConfig: this.path(),
      extraHeaders: takesUp ? [replaces(takesUp)] : [],
    });
    const line = this.track(session, {
      incoming: takesUp?.incoming ?? false,
      state: "dialing",
      number: takesUp?.number ?? number,
      name: takesUp?.name ?? null,
      consultsFor: this.nextConsultsFor,
    });
    line.stream = stream;
    session.on("failed", () => this.parts.onTrouble(takesUp ? "takeUp" : "call"));
  }

  /** Hand a call on to a number, without talking to it. */
  transfer(id: string, number: string): void {
    this.refer(id, `sip:${encodeURIComponent(number)}@${this.host()}`, undefined);
  }

  /** Join the call that waits with the one that was asked, and leave. */
  join(waiting: string, asked: string): void {
    const other = this.lines.get(asked)?.session;
    if (other) this.refer(waiting, other.remote_identity.uri.toString(), other);
  }

  private refer(id: string, target: string, other: RTCSession | undefined): void {
    const line = this.lines.get(id);
    if (!line) return;
    const undo = (): void => {
      this.change(line, { transferring: false });
      this.parts.onTrouble("transfer");
    };
    this.change(line, { transferring: true });
    line.session.refer(target, {
      ...(other ? { replaces: other } : {}),
      eventHandlers: {
        requestFailed: undo,
        failed: undo,
        // The PBX has it: it hangs up what is left here, but for one that lost that message.
        accepted: () => [line.session, other].forEach((one) => one && !one.isEnded() && one.terminate()),
      },
    });
  }

  private rings(session: RTCSession): void {
    const { uri, display_name: name } = session.remote_identity;
    this.track(session, { incoming: true, state: "ringing", number: uri.user ?? "", name: name || null, consultsFor: null });
  }

  private track(session: RTCSession, known: Pick<PhoneCall, "incoming" | "state" | "number" | "name" | "consultsFor">): Line {
    const call: PhoneCall = { id: session.id, muted: false, answeredAt: null, transferring: false, ...known };
    const line: Line = { session, call, sample: null, silence: null, stream: null };
    this.lines.set(call.id, line);
    this.parts.emit({ type: "call", call });
    if (session.connection) this.hear(line, session.connection);
    session.on("peerconnection", ({ peerconnection }) => this.hear(line, peerconnection));
    let gathering: ReturnType<typeof setTimeout> | undefined;
    session.on("icecandidate", ({ ready }) => {
      gathering ??= setTimeout(ready, GATHER_MS);
    });
    session.on("confirmed", () => this.change(line, { state: "talking", answeredAt: Date.now() }));
    session.on("hold", ({ originator }) => originator === "local" && this.change(line, { state: "held" }));
    session.on("unhold", ({ originator }) => originator === "local" && this.change(line, { state: "talking" }));
    session.on("muted", () => this.change(line, { muted: true }));
    session.on("unmuted", () => this.change(line, { muted: false }));
    session.on("ended", () => this.gone(line));
    session.on("failed", () => this.gone(line));
    return line;
  }

  private hear(line: Line, connection: RTCPeerConnection): void {
    connection.addEventListener("track", (event) => {
      line.silence?.();
      line.silence = play(event.streams[0] ?? new MediaStream([event.track]));
    });
  }

  private change(line: Line, change: Partial<Omit<PhoneCall, "id">>): void {
    Object.assign(line.call, change);
    this.parts.emit({ type: "changed", id: line.call.id, change });
    this.remember(line);
  }

  private gone(line: Line): void {
    if (!this.lines.delete(line.call.id)) return;
    this.release(line);
    this.parts.onDialog(line.call.id, null);
    this.parts.emit({ type: "gone", id: line.call.id });
  }

  private release(line: Line): void {
    line.silence?.();
    line.stream?.getTracks().forEach((track) => track.stop());
  }

  private async listen(line: Line): Promise<MediaStream | null> {
    try {
      line.stream = await microphone();
      return line.stream;
    } catch (problem) {
      this.silent(problem);
      return null;
    }
  }

  private silent(problem: unknown): void {
    if (!(problem instanceof NoMicrophone)) throw problem;
    this.parts.onTrouble("microphone");
  }

  private async holdOthers(id: string): Promise<void> {
    const talking = [...this.lines.values()].filter((one) => one.call.id !== id && one.call.state === "talking");
    await Promise.all(
      talking.map((one) => new Promise<void>((done) => (one.session.hold({}, () => done()) ? undefined : done()))),
    );
  }

  /** Registered, for the first time or after the connection was lost: Asterisk must know where the calls are now. */
  private registered(): void {
    this.parts.emit({ type: "registration", registration: "registered" });
    if (!this.lost) return;
    this.lost = false;
    for (const line of this.lines.values()) {
      // A call that ended meanwhile is answered with 481, and ends here too.
      if (line.session.isEstablished()) line.session.renegotiate();
    }
  }

  private async measure(): Promise<void> {
    for (const line of this.lines.values()) {
      if (!line.session.isEstablished()) continue;
      this.remember(line);
      if (line.call.state !== "talking" || !line.session.connection) continue;
      const reports = await line.session.connection.getStats();
      const sample = sampleOf(reports.values() as Iterable<Report>);
      const before = line.sample;
      line.sample = sample;
      if (before && this.lines.has(line.call.id)) {
        this.parts.emit({ type: "quality", quality: qualityBetween(before, sample) });
      }
    }
  }

  private remember(line: Line): void {
    const id = (line.session as unknown as WithDialog)._dialog?.id;
    const { call } = line;
    if (!id || call.answeredAt === null) return;
    this.parts.onDialog(call.id, {
      callId: id.call_id,
      localTag: id.local_tag,
      remoteTag: id.remote_tag,
      number: call.number,
      name: call.name,
      incoming: call.incoming,
      answeredAt: call.answeredAt,
      aliveAt: Date.now(),
    });
  }

  private host(): string {
    return new URL(this.credential.url).hostname;
  }

  private path(): RTCConfiguration {
    return { iceServers: this.credential.ice_servers.map((urls) => ({ urls })) };
  }
}
