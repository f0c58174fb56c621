/** Microphone, loudspeaker, their levels and the ring tone. */
import { ref, watch } from "vue";

const INPUT = "callcenter.phone.input";
const OUTPUT = "callcenter.phone.output";
const RINGS = "callcenter.phone.rings";

/** Devices that this browser's agent chose; empty: the system's own. */
export const inputId = ref(localStorage.getItem(INPUT) ?? "");
export const outputId = ref(localStorage.getItem(OUTPUT) ?? "");
export const ringWanted = ref(localStorage.getItem(RINGS) !== "off");
watch(inputId, (id) => localStorage.setItem(INPUT, id));
watch(outputId, (id) => localStorage.setItem(OUTPUT, id));
watch(ringWanted, (wanted) => localStorage.setItem(RINGS, wanted ? "on" : "off"));

export interface Devices {
  inputs: MediaDeviceInfo[];
  outputs: MediaDeviceInfo[];
}

/** Why there is no microphone: the page must be on HTTPS, the person said no, there is none, or another program has it. */
export type MicrophoneProblem = "insecure" | "denied" | "missing" | "busy";

export class NoMicrophone extends Error {
  constructor(readonly reason: MicrophoneProblem) {
    super(reason);
  }
}

/** What can be chosen; names are empty until the microphone was allowed once. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    inputs: all.filter((one) => one.kind === "audioinput"),
    outputs: all.filter((one) => one.kind === "audiooutput"),
  };
}

/** The microphone, with the chosen device where it is still there. Throws `NoMicrophone`. */
export async function microphone(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new NoMicrophone("insecure");
  const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  // "ideal": a headset that was unplugged must not keep a call from being answered.
  if (inputId.value) audio.deviceId = { ideal: inputId.value };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio, video: false });
  } catch (problem) {
    const name = (problem as DOMException).name;
    if (name === "NotAllowedError" || name === "SecurityError") throw new NoMicrophone("denied");
    throw new NoMicrophone(name === "NotFoundError" ? "missing" : "busy");
  }
}

/** Whether the browser lets us use the microphone without asking. */
export async function microphoneAllowed(): Promise<boolean> {
  try {
    const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
    return status.state === "granted";
  } catch {
    // A browser that cannot be asked shows names of devices once the microphone was allowed.
    return (await listDevices()).inputs.some((one) => one.label !== "");
  }
}

/** Play a stream at the chosen loudspeaker; returns how to stop. */
export function play(stream: MediaStream): () => void {
  const element = document.createElement("audio");
  element.autoplay = true;
  element.srcObject = stream;
  void toOutput(element);
  const unwatch = watch(outputId, () => void toOutput(element));
  void element.play().catch(() => undefined);
  return () => {
    unwatch();
    element.srcObject = null;
  };
}

async function toOutput(element: HTMLAudioElement): Promise<void> {
  // Firefox and Safari may not have it, and a device may be gone: the system's own loudspeaker has to do.
  await element.setSinkId?.(outputId.value).catch(() => undefined);
}

/** How loud a stream is, 0 to 1, whenever it is asked. */
export class Meter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly heard = new Float32Array(512);

  constructor(stream: MediaStream) {
    this.analyser.fftSize = this.heard.length;
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  }

  level(): number {
    this.analyser.getFloatTimeDomainData(this.heard);
    const power = this.heard.reduce((sum, one) => sum + one * one, 0) / this.heard.length;
    // -60 dB and less is silence, 0 dB is full.
    return power > 0 ? Math.max(0, Math.min(1, (10 * Math.log10(power) + 60) / 60)) : 0;
  }

  close(): void {
    void this.context.close();
  }
}

const RING_MS = 3_000;

/** The ring tone, made here: two short rings every three seconds, until `stop`. */
export class RingTone {
  private timer: ReturnType<typeof setInterval> | undefined;
  private context: AudioContext | null = null;

  start(): void {
    if (this.timer !== undefined || !ringWanted.value) return;
    this.context = new AudioContext();
    void (this.context as unknown as { setSinkId?(id: string): Promise<void> })
      .setSinkId?.(outputId.value)
      .catch(() => undefined);
    this.ring();
    this.timer = setInterval(() => this.ring(), RING_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    void this.context?.close();
    this.context = null;
  }

  private ring(): void {
    const audio = this.context;
    if (!audio || audio.state === "closed") return;
    for (const from of [audio.currentTime, audio.currentTime + 0.6]) {
      const volume = audio.createGain();
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.12, from + 0.03);
      volume.gain.setValueAtTime(0.12, from + 0.36);
      volume.gain.linearRampToValueAtTime(0, from + 0.4);
      volume.connect(audio.destination);
      for (const frequency of [440, 554]) {
        const tone = audio.createOscillator();
        tone.frequency.value = frequency;
        tone.connect(volume);
        tone.start(from);
        tone.stop(from + 0.41);
      }
    }
  }
}
