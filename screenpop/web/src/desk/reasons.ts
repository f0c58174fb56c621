import type { Candidate } from "../api/types";
import { i18n } from "../i18n";

/** Why a customer may be the caller, in words; codes without words say nothing to a person and are left out. */
export function reasonsOf(candidate: Candidate): string {
  const { t, te } = i18n.global;
  return candidate.reasons
    .filter((code) => te(`match.reason.${code}`))
    .map((code) => t(`match.reason.${code}`))
    .join(" · ");
}
