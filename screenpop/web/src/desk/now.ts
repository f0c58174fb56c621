/** One clock for all that counts on the page, so that two places never show two times of one call. */
import { ref } from "vue";

const EVERY_MS = 500;

/** Milliseconds since 1970 by this machine's clock. */
export const now = ref(Date.now());

setInterval(() => (now.value = Date.now()), EVERY_MS);
