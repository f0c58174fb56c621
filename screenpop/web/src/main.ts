/** The page's start: language, colors, and who is logged in, before anything is shown. */
import { createApp } from "vue";

import App from "./App.vue";
import { installElements } from "./elements";
import { firstLanguage, i18n, speak } from "./i18n";
import { router } from "./router";
import { onSessionOver, recall, who } from "./desk/session";
import OfflinePage from "./pages/OfflinePage.vue";
import { keepShell } from "./shell";
import "./styles/tokens.css";
import "./styles/page.css";

const RETRY_MS = 3_000;

function followSystemColors(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (): boolean => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", paint);
  paint();
}

/** Fetch what this address shows while the server is asked who this is, rather than after it. */
function fetchPage(): void {
  for (const { components } of router.resolve(location.pathname).matched) {
    const page = components?.["default"];
    if (typeof page === "function") void (page as () => Promise<unknown>)().catch(() => undefined);
  }
}

/** The page as it is kept: told apart from one that nobody is logged in to. It goes on with the newest one. */
async function waitForServer(): Promise<void> {
  const waiting = createApp(OfflinePage);
  waiting.use(i18n);
  waiting.mount("#app");
  for (;;) {
    await new Promise<void>((again) => {
      setTimeout(again, RETRY_MS);
      window.addEventListener("online", () => again(), { once: true });
    });
    await recall().catch(() => undefined);
    if (who.asked) return location.reload();
  }
}

function start(): void {
  onSessionOver(() => void router.replace({ name: "login", query: { over: "1" } }));
  const app = createApp(App);
  app.use(i18n);
  app.use(router);
  installElements(app);
  app.mount("#app");
}

followSystemColors();
keepShell();
fetchPage();
await Promise.all([speak(firstLanguage()), recall().catch(() => undefined)]);
await (who.asked ? start() : waitForServer());
