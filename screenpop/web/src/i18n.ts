/** The languages of the page: one is loaded at a time, with what Element Plus says in it. */
import { shallowRef } from "vue";
import { createI18n } from "vue-i18n";
import type { Language as ElementLanguage } from "element-plus/es/locale";

import type { Language } from "./api/types";

export const LANGUAGES: { code: Language; name: string }[] = [
  { code: "en", name: "English" },
  { code: "zh-CN", name: "简体中文" },
  { code: "zh-TW", name: "繁體中文" },
];

const KEPT = "callcenter.language";

const loaders: Record<Language, () => Promise<[{ default: object }, { default: ElementLanguage }]>> = {
  en: () => Promise.all([import("./locales/en.json"), import("element-plus/es/locale/lang/en.mjs")]),
  "zh-CN": () => Promise.all([import("./locales/zh-CN.json"), import("element-plus/es/locale/lang/zh-cn.mjs")]),
  "zh-TW": () => Promise.all([import("./locales/zh-TW.json"), import("element-plus/es/locale/lang/zh-tw.mjs")]),
};

export const i18n = createI18n({ legacy: false, locale: "en", missingWarn: true, fallbackWarn: false, messages: {} });
export const elementLanguage = shallowRef<ElementLanguage>();

/** The language that a tag such as `zh-Hant-HK` or `fr` is best served with; null where none fits. */
export function closest(tag: string): Language | null {
  const parts = tag.toLowerCase().split("-");
  if (parts[0] === "en") return "en";
  if (parts[0] !== "zh") return null;
  const traditional = ["hant", "tw", "hk", "mo"].some((part) => parts.includes(part));
  return traditional ? "zh-TW" : "zh-CN";
}

/** What to begin with: the choice kept in this browser, else what the browser asks for. */
export function firstLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages].flatMap((tag) => (tag ? [closest(tag)] : []));
  return wanted.find((language) => language !== null) ?? "en";
}

/** Show the page in `language`, and keep the choice in this browser. */
export async function speak(language: Language): Promise<void> {
  const [text, element] = await loaders[language]();
  i18n.global.setLocaleMessage(language, text.default);
  (i18n.global.locale as { value: string }).value = language;
  elementLanguage.value = element.default;
  document.documentElement.lang = language;
  localStorage.setItem(KEPT, language);
}
