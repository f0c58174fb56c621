/** What agents choose from, loaded once a person is logged in: reasons to pause, outcomes, fields of the cards. */
import { reactive } from "vue";

import {
  listFields,
  listOutcomes,
  listPauseReasons,
  type FieldDefinition,
  type Outcome,
  type PauseReason,
  type Word,
} from "../api/desk";
import { i18n } from "../i18n";

interface Words {
  reasons: PauseReason[];
  outcomes: Outcome[];
  fields: FieldDefinition[];
}

export const words = reactive<Words>({ reasons: [], outcomes: [], fields: [] });

/** Load all lists; throws `Problem`. */
export async function loadWords(): Promise<void> {
  const [reasons, outcomes, fields] = await Promise.all([listPauseReasons(), listOutcomes(), listFields()]);
  Object.assign(words, { reasons: reasons.items, outcomes: outcomes.items, fields: fields.items });
}

/** A word in the language of the page; where it has no name in it, in English, then in any. */
export function wordName(word: Word): string {
  const language = (i18n.global.locale as unknown as { value: string }).value;
  return word.names[language] ?? word.names["en"] ?? Object.values(word.names)[0] ?? word.code;
}

/** Why somebody pauses, in words; null where the state itself says it. */
export function reasonName(code: string | null): string | null {
  return code && code !== "wrapup" ? nameOfCode(words.reasons, code) : null;
}

/** The name of a code; a code that is in no list, such as a reason that another program gave, as it is. */
export function nameOfCode(list: Word[], code: string): string {
  const known = list.find((one) => one.code === code);
  return known ? wordName(known) : code;
}
