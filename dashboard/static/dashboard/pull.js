// What is asked for again when a finger pulls the page down.

import { useEffect, useRef } from "./ui.js";

const asking = new Set();

/** Calls `again` at each pull as long as the component is there; it may take its time. */
export function usePull(again) {
  const newest = useRef();
  newest.current = again;
  useEffect(() => {
    const call = () => newest.current();
    asking.add(call);
    return () => asking.delete(call);
  }, []);
}

export const askAgain = () => Promise.allSettled([...asking].map((call) => call()));
