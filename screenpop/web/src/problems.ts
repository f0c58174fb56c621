/** Problems in plain words, in the language of the page. */
import { ElMessage } from "element-plus";

import { Problem } from "./api/http";
import { i18n } from "./i18n";

const KEYS: Record<number, string> = {
  0: "problem.unreachable",
  403: "problem.forbidden",
  404: "problem.notFound",
  409: "problem.conflict",
  429: "problem.busy",
  502: "problem.noPbx",
  503: "problem.server",
  504: "problem.noPbx",
};

/** What to tell a person. English readers get the server's own sentence, which knows more; others `other`, where given. */
export function problemText(problem: unknown, other: string | null = null): string {
  const { t, locale } = i18n.global;
  if (!(problem instanceof Problem)) return t("problem.server");
  const key = KEYS[problem.status];
  const said = [problem.detail, ...problem.errors.map((fault) => fault.detail)].filter(Boolean).join(" ");
  const english = (locale as unknown as { value: string }).value === "en";
  if (other && !english && problem.status === 400) return other;
  if (said && problem.status < 500 && (english || !key)) return said;
  if (key) return t(key);
  return problem.status >= 500 ? t("problem.server") : t("problem.other", { status: problem.status });
}

/** Say it in a line that goes away by itself. */
export function tellProblem(problem: unknown): void {
  ElMessage({ type: "error", message: problemText(problem), grouping: true, duration: 6_000 });
}

/** Say what a person has to do first. */
export function tellHint(message: string): void {
  ElMessage({ type: "warning", message, grouping: true, duration: 6_000 });
}

/** Say that something worked. */
export function tell(message: string): void {
  ElMessage({ type: "success", message, grouping: true, duration: 4_000 });
}
