// What the person saw, opened and liked. Events are sent one after another, so that they do not delay a search.

import { sendFeedback } from "./api.js";

let sending = Promise.resolve();
let visit = null; // the answer that was opened last, and when

function send(type, { requestId, imageId, position }, more = {}) {
  const event = { request_id: requestId, image_id: imageId, position, type, ...more };
  // Feedback that is lost is not worth a message.
  sending = sending.then(() => sendFeedback(event)).catch(() => {});
}

export function shown(answer) {
  send("impression", answer);
}

export function opened(answer) {
  returned();
  visit = { answer, since: performance.now() };
  send("click", answer);
}

/** The person goes on from the opened answer, or back, or leaves the page. */
export function returned() {
  if (!visit) return;
  send("dwell", visit.answer, { dwell_ms: Math.round(performance.now() - visit.since) });
  visit = null;
}

/** `thumb` is "up" or "down". */
export function judged(answer, thumb) {
  send(thumb, answer);
}

addEventListener("pagehide", () => {
  if (!visit) return;
  // There is no time to wait for earlier events.
  const { requestId, imageId, position } = visit.answer;
  const dwell = Math.round(performance.now() - visit.since);
  sendFeedback({ request_id: requestId, image_id: imageId, position, type: "dwell", dwell_ms: dwell }).catch(() => {});
  visit = null;
});
