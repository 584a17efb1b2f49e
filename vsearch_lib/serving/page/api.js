// What the page asks the server. Addresses are relative, so that the page also works below a path of a gateway.

import { toText } from "./box.js";
import { session } from "./session.js";

/** The server, or the way to it, refused; the message is one line for the person. */
export class Refused extends Error {}

async function fetched(address, options = {}) {
  let answer;
  try {
    answer = await fetch(address, { ...options, headers: { ...options.headers, "X-Session": session } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(
      navigator.onLine ? "The server does not answer. Try again when it runs." : "This device is offline.",
    );
  }
  const content = await answer.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!answer.ok) throw new Refused(content.error ?? `The server answered ${answer.status} ${answer.statusText}.`);
  return content;
}

const sendJson = (content) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

/** [name, value] of every field that is set; a list is several fields of one name. */
function* fields({ crop, filters, k }) {
  yield ["k", k];
  if (crop) yield ["crop", toText(crop)];
  for (const tag of filters.tags) yield ["tags", tag];
  if (filters.owner) yield ["owner_id", filters.owner];
  if (filters.after) yield ["after", filters.after];
  if (filters.before) yield ["before", filters.before];
  if (filters.sort !== "similarity") yield ["sort", filters.sort];
  if (filters.copies) yield ["copies", "true"];
}

function asJson(query) {
  const content = { image_id: query.image, ...Object.fromEntries(fields(query)) };
  if (query.filters.tags.length) content.tags = query.filters.tags;
  if (query.filters.copies) content.copies = true;
  return content;
}

function asForm(query, photo) {
  const form = new FormData();
  form.append("image", photo, "photo");
  for (const [name, value] of fields(query)) form.append(name, value);
  return form;
}

/** Searches with a photo, or else with `query.image`, an id of the catalogue. */
export function search(query, photo, signal) {
  if (photo) return fetched("search", { method: "POST", body: asForm(query, photo), signal });
  if (query.crop) return fetched("search", { ...sendJson(asJson(query)), signal });
  // An id may have a slash, and dots that an address would leave out.
  return fetched(`similar/${encodeURIComponent(query.image)}?${new URLSearchParams([...fields(query)])}`, { signal });
}

/** What the model looks at in the query and in an answer: {query, answer}, each {values: rows of 0 to 1}. */
export function look(query, photo, answerId, signal) {
  if (!photo) return fetched("look", { ...sendJson({ ...asJson(query), answer_id: answerId }), signal });
  const form = asForm(query, photo);
  form.append("answer_id", answerId);
  return fetched("look", { method: "POST", body: form, signal });
}

export function randomImages(k, signal) {
  return fetched(`random?k=${k}`, { signal });
}

export function pictureAddress(imageId, size) {
  return `images/${encodeURIComponent(imageId)}?size=${size}`;
}

/** Sends an event; it arrives even if the page is being left. */
export function sendFeedback(event) {
  return fetched("feedback", { ...sendJson(event), keepalive: true, priority: "low" });
}
