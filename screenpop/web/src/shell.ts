/** The page's own files, kept by worker/sw.js, and the news that there is a newer build of them. */
import { ref } from "vue";

const LOOK_EVERY_MS = 3_600_000;

/** Whether a newer build has come while this page was open. */
export const outdated = ref(false);

/** Have the files kept, where the browser can (it needs https, or this machine), and look now and then for newer ones. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const workers = navigator.serviceWorker;
  let known = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    outdated.value = known;
    known = true;
  });
  const look = async (): Promise<void> => {
    const kept = await workers.getRegistration();
    await (kept ? kept.update() : workers.register("/sw.js"));
  };
  const quietly = (): void => void look().catch(() => undefined);
  void workers.register("/sw.js").catch(() => undefined);
  setInterval(quietly, LOOK_EVERY_MS);
  window.addEventListener("online", quietly);
}
