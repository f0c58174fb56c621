/** How a pop asks for attention when nobody looks at the page: title, desktop notification, sound. */

export interface Attention {
  title: string;
  body: string;
  /** Same tag, same notification: a call that rings again does not pile up. */
  tag: string;
}

const plain = document.title;
let shown: Notification | null = null;

/** Put a ringing call into the window's title. */
export function callTitle(text: string | null): void {
  document.title = text ? `☎ ${text}` : plain;
}

/** Show a desktop notification, where the agent allowed them; a click brings the page to the front. */
export function notify(attention: Attention): void {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  shown = new Notification(attention.title, { body: attention.body, tag: attention.tag, icon: "/icon.svg" });
  shown.onclick = () => {
    window.focus();
    shown?.close();
  };
}

/** Take the notification away: the call was answered, or is gone. */
export function settle(): void {
  shown?.close();
  shown = null;
}

/** Whether the browser can be asked for notifications and was not asked yet. */
export function mayAsk(): boolean {
  return "Notification" in window && Notification.permission === "default";
}

/** Ask for notifications; must be called from a click. */
export async function ask(): Promise<boolean> {
  return (await Notification.requestPermission()) === "granted";
}

/** Two soft tones, made here: nothing to download, and nothing that a browser blocks as media. */
export function chime(): void {
  const audio = new AudioContext();
  if (audio.state === "suspended") {
    // The browser wants a click on the page first; the notification has to do.
    void audio.close();
    return;
  }
  const start = audio.currentTime;
  [659.3, 880].forEach((frequency, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const from = start + index * 0.22;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.15, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.4);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.42);
    if (index === 1) tone.onended = () => void audio.close();
  });
}
