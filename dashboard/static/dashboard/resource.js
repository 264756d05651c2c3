// What a screen asks the server for: the answer, whether it is awaited, and why it failed.

import { language } from "./preferences.js";
import { useEffect, useRef, useSignal } from "./ui.js";

/**
 * `{data, failure, again}`, all of the newest question. It is asked again in another language, because the server words
 * things, and when the page comes back to sight; what was there stays until the answer is.
 */
export function useResource(ask) {
  const state = useSignal({ data: null, failure: null });
  const question = useRef(0);
  const again = async () => {
    const mine = ++question.current;
    const found = await ask().then((data) => ({ data, failure: null }), (failure) => ({ data: state.peek().data, failure }));
    if (mine === question.current) state.value = found;
  };
  useEffect(() => {
    again();
    return () => question.current++;
  }, [language.value]);
  useEffect(() => {
    const seen = () => document.visibilityState === "visible" && again();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  return { ...state.value, again };
}
