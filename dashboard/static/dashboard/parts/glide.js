import { prefersStillness } from "../preferences.js";
import { useLayoutEffect, useRef } from "../ui.js";

const MOTION = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };

/**
 * The children of `list` (elements with `data-id`) slide from where they were when their `order`, a word, is another,
 * unless the reader prefers stillness, and the focus stays on what had it: a node that moves within the page loses it
 * otherwise.
 */
export function useGlide(list, order) {
  const focused = document.activeElement;
  const last = useRef(order);
  // Where they are before they are drawn anew. To measure lays the whole page out: not when some only joined at the end.
  const moving = order.startsWith(last.current) ? [] : [...(list.current?.children ?? [])];
  const before = new Map(moving.map((child) => [child.dataset.id, child.offsetTop]));
  last.current = order;
  useLayoutEffect(() => {
    if (focused !== document.activeElement && list.current.contains(focused)) focused.focus({ preventScroll: true });
    if (!before.size || prefersStillness()) return;
    for (const child of list.current.children) {
      const distance = (before.get(child.dataset.id) ?? NaN) - child.offsetTop;
      if (distance) child.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], MOTION); // NaN: new
    }
  });
}
