// What the person saw, opened and liked. Events are sent one after another, so that they do not delay a search.
// An answer is as the server gave it, with the id of its request.

import { sendFeedback } from "./api.js";

const LONGEST_DWELL_MS = 86_400_000;
const seen = new WeakSet();
let sending = Promise.resolve();
let visit = null; // the answer that was opened last, and when

function event(type, answer, more = {}) {
  return { request_id: answer.request_id, image_id: answer.image_id, position: answer.rank, type, ...more };
}

function dwell({ answer, since }) {
  return event("dwell", answer, { dwell_ms: Math.min(Math.round(performance.now() - since), LONGEST_DWELL_MS) });
}

function send(content) {
  // Feedback that is lost is not worth a message.
  sending = sending.then(() => sendFeedback(content)).catch(() => {});
}

export function shown(answer) {
  if (seen.has(answer)) return;
  seen.add(answer);
  send(event("impression", answer));
}

export function opened(answer) {
  returned();
  visit = { answer, since: performance.now() };
  send(event("click", answer));
}

/** The person goes on from the opened answer, or back. */
export function returned() {
  if (visit) send(dwell(visit));
  visit = null;
}

/** `thumb` is "up" or "down". */
export function judged(answer, thumb) {
  send(event(thumb, answer));
}

addEventListener("pagehide", () => {
  // There is no time to wait for earlier events.
  if (visit) sendFeedback(dwell(visit)).catch(() => {});
  visit = null;
});
