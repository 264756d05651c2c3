import { prefersStillness } from "../preferences.js";
import { useLayoutEffect } from "../ui.js";

const MOTION = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };

/**
 * The children of `list` (elements with `data-id`) slide from where they were, unless the reader prefers stillness, and
 * the focus stays on what had it: a node that moves within the page loses it otherwise.
 */
export function useGlide(list) {
  const focused = document.activeElement;
  // Where they are before they are drawn anew: the first time nothing has to be measured.
  const before = new Map([...(list.current?.children ?? [])].map((child) => [child.dataset.id, child.offsetTop]));
  useLayoutEffect(() => {
    if (focused !== document.activeElement && list.current.contains(focused)) focused.focus({ preventScroll: true });
    if (!before.size || prefersStillness()) return;
    for (const child of list.current.children) {
      const distance = (before.get(child.dataset.id) ?? NaN) - child.offsetTop;
      if (distance) child.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], MOTION); // NaN: new
    }
  });
}
