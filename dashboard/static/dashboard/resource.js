// What a screen asks the server for: the answer, whether it is awaited, and why it failed.

import { isAway, lostAt } from "./api.js";
import { language } from "./preferences.js";
import { usePull } from "./pull.js";
import { lastSeen, remember } from "./seen.js";
import { useEffect, useRef, useSignal } from "./ui.js";

/**
 * `{data, failure, asOf, again}`, all of the newest question. It is asked again in another language, because the server
 * words things, when the page is pulled or comes back to sight and when the server is back; what was there stays until
 * the answer is.
 * With a name in `keptAs` what was seen last is shown at once: `asOf` says from when it is until the server has answered.
 */
export function useResource(ask, keptAs) {
  const state = useSignal({ data: null, failure: null, asOf: null });
  const answeredAt = useRef(null);
  const question = useRef(0);
  const again = async () => {
    const mine = ++question.current;
    const found = await ask().then(
      (data) => ({ data, failure: null, asOf: null }),
      (failure) => withoutAnswer(failure, state.peek(), answeredAt.current),
    );
    if (mine !== question.current) return;
    state.value = found;
    if (found.failure || found.asOf) return;
    answeredAt.current = new Date();
    if (keptAs) remember(keptAs, found.data);
  };
  const showLastSeen = async () => {
    const kept = await lastSeen(keptAs);
    const { data, failure } = state.peek();
    if (kept && data === null) state.value = { data: kept.data, failure: isAway(failure) ? null : failure, asOf: kept.at };
  };
  useEffect(() => void (keptAs && showLastSeen()), []);
  useEffect(() => {
    again();
    return () => question.current++;
  }, [language.value]);
  useEffect(() => {
    const seen = () => document.visibilityState === "visible" && again();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  usePull(again);
  const isLost = lostAt.value !== null;
  const wasLost = useRef(isLost);
  useEffect(() => {
    if (wasLost.current && !isLost) again();
    wasLost.current = isLost;
  }, [isLost]);
  return { ...state.value, again };
}

/** Without a server what is there stays, and says how old it is. */
function withoutAnswer(failure, { data, asOf }, answeredAt) {
  const stays = data !== null && isAway(failure);
  return stays ? { data, failure: null, asOf: asOf ?? answeredAt } : { data, failure, asOf };
}
