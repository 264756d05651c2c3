// Streams of diagnoses with the tickets and tokens of whoever is signed in.

import { freshToken, get, post } from "./api.js";
import { sendWhatWaits } from "./outbox.js";
import { Pace } from "./pace.js";
import { DiagnosisStream } from "./stream.js";
import { useEffect, useRef } from "./ui.js";

const MOST = 5; // sockets for one list; a patient has one to three active diagnoses
const SETTLE_MS = 10; // one act may make several events
const [FEW, BETWEEN_MS] = [4, 1_500]; // asked at once, then once in this time
const LOOK_EVERY_MS = 60_000;

export function streamOf(diagnosisId, since) {
  const ticket = async () => (await post("/api/realtime/tickets", { diagnosis: diagnosisId })).url;
  const stream = new DiagnosisStream({ ticket, since, token: freshToken });
  stream.addEventListener("state", ({ detail }) => detail.state === "live" && sendWhatWaits());
  return stream;
}

/** Calls `onNews` soon after anything happened in one of the diagnoses (`{id, head}`) as long as the screen is there. */
export function useNews(diagnoses, onNews) {
  const tell = useRef();
  tell.current = onNews;
  const watched = diagnoses.slice(0, MOST);
  useEffect(() => {
    let timer;
    const pace = new Pace(FEW, BETWEEN_MS);
    const now = () => {
      pace.spend();
      tell.current();
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(now, Math.max(SETTLE_MS, pace.wait));
    };
    const streams = watched.map(({ id, head }) => streamOf(id, head));
    const nudge = () => streams.forEach((stream) => stream.nudge());
    for (const stream of streams) {
      for (const type of ["event", "reset"]) stream.addEventListener(type, soon);
      stream.start();
    }
    addEventListener("online", nudge);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", nudge);
      for (const stream of streams) stream.stop();
    };
  }, [watched.map(({ id }) => id).join()]);
}

/**
 * Calls `onAnother` when other diagnoses than these are active. No stream tells of a diagnosis one does not know yet: it
 * is asked each minute in which the page is seen.
 */
export function useAnotherDiagnosis(diagnoses, onAnother) {
  const known = useRef();
  known.current = { diagnoses, onAnother };
  useEffect(() => {
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      const found = await get("/api/diagnoses/?status=active&page_size=1").catch(() => null); // the next minute tells
      const { diagnoses, onAnother } = known.current;
      if (found && (found.count !== diagnoses.length || found.results[0]?.id !== diagnoses[0]?.id)) onAnother();
    };
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}
