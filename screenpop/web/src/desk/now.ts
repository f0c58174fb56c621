/** One clock for all that counts on the page, so that two places never show two times of one call. */
import { ref } from "vue";

import { serverNow } from "../api/http";

const EVERY_MS = 500;

/** Milliseconds since 1970 by the server's clock, which may be another than this machine's. */
export const now = ref(serverNow());

setInterval(() => (now.value = serverNow()), EVERY_MS);
