/** Of a long table only the rows that can be seen, and some around them: the others are room above and below. */
import { type ComputedRef, type Ref, computed, onBeforeUnmount, onMounted, ref } from "vue";

/** Rows that come and go at once, and that are drawn beyond each edge at least. */
const STEP = 10;
const GUESSED_PX = 31;

export interface Range {
  first: number;
  /** One behind the last. */
  end: number;
}

/** The rows of a box that is `height` high and scrolled by `top`. Pure. */
export function visible(top: number, height: number, row: number, count: number): Range {
  const first = Math.floor(top / row / STEP) * STEP - STEP;
  const end = Math.ceil((top + height) / row / STEP) * STEP + STEP;
  return { first: Math.max(0, Math.min(first, count - STEP)), end: Math.min(end, count) };
}

/** Which rows to draw in `box`, which scrolls, and the pixels that the others would take. All are of one height. */
export function useRows(
  box: Ref<HTMLElement | null>,
  count: ComputedRef<number>,
): { range: ComputedRef<Range>; above: ComputedRef<number>; below: ComputedRef<number> } {
  const top = ref(0);
  const height = ref(window.innerHeight);
  const row = ref(GUESSED_PX);
  // The same object while the rows are the same, so that scrolling by one draws nothing.
  const range = computed<Range>((before) => {
    const now = visible(top.value, height.value, row.value, count.value);
    return before && before.first === now.first && before.end === now.end ? before : now;
  });

  function measure(): void {
    top.value = box.value?.scrollTop ?? 0;
    height.value = box.value?.clientHeight || window.innerHeight;
    row.value = box.value?.querySelector<HTMLElement>("tbody tr.line")?.offsetHeight || row.value;
  }
  function scrolled(): void {
    top.value = box.value?.scrollTop ?? 0;
  }

  const sizes = new ResizeObserver(measure);
  onMounted(() => {
    if (!box.value) return;
    sizes.observe(box.value);
    box.value.addEventListener("scroll", scrolled, { passive: true });
  });
  onBeforeUnmount(() => sizes.disconnect());
  return {
    range,
    above: computed(() => range.value.first * row.value),
    below: computed(() => (count.value - range.value.end) * row.value),
  };
}
