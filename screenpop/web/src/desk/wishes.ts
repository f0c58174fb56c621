/** What this browser's agent wishes, kept in the browser. */
import { ref, watch } from "vue";

const SOUND = "callcenter.sound";
const LATER = "callcenter.notifications.later";

/** A sound when a call rings and the page is not seen. */
export const soundWanted = ref(localStorage.getItem(SOUND) !== "off");
watch(soundWanted, (wanted) => localStorage.setItem(SOUND, wanted ? "on" : "off"));

/** "Not now" to desktop notifications: do not ask again. */
export const notificationsLater = ref(localStorage.getItem(LATER) === "yes");
watch(notificationsLater, (later) => localStorage.setItem(LATER, later ? "yes" : "no"));
