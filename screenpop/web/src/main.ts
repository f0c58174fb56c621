/** The page's start: language, colors, and who is logged in, before anything is shown. */
import { createApp } from "vue";

import App from "./App.vue";
import { installElements } from "./elements";
import { firstLanguage, i18n, speak } from "./i18n";
import { router } from "./router";
import { onSessionOver, recall } from "./desk/session";
import "./styles/tokens.css";
import "./styles/page.css";

function followSystemColors(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (): boolean => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", paint);
  paint();
}

followSystemColors();
await speak(firstLanguage());
onSessionOver(() => void router.replace({ name: "login", query: { over: "1" } }));
// Where the server cannot be reached, the log-in page says so.
await recall().catch(() => undefined);

const app = createApp(App);
app.use(i18n);
app.use(router);
installElements(app);
app.mount("#app");
