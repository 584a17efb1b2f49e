// Where the person is in the page: a query, its part and the filters. Each place has an address, except that a photo
// stays in this tab: the address of a search with a photo has only the filters.

import { fromText, toText } from "./box.js";
import { randomName } from "./session.js";

export const NO_FILTERS = Object.freeze({
  tags: Object.freeze([]), owner: "", after: "", before: "", sort: "similarity", copies: false,
});

const photos = new Map(); // name -> {file, address}

/** Keeps a photo while the page is open, and returns the name by which a place refers to it. */
export function keepPhoto(file) {
  const name = randomName();
  photos.set(name, { file, address: URL.createObjectURL(file) });
  return name;
}

/** {file, address} of the photo of a place, undefined if the place has none. */
export function photoOf(place) {
  return photos.get(place.photo);
}

export function hasQuery(place) {
  return Boolean(place.image || photoOf(place));
}

function address({ image, crop, filters }) {
  const fields = new URLSearchParams();
  if (image) fields.set("image", image);
  if (image && crop) fields.set("crop", toText(crop));
  for (const tag of filters.tags) fields.append("tag", tag);
  for (const name of ["owner", "after", "before"]) if (filters[name]) fields.set(name, filters[name]);
  if (filters.sort !== "similarity") fields.set("sort", filters.sort);
  if (filters.copies) fields.set("copies", "on");
  return `./${fields.size ? `?${fields}` : ""}`;
}

function fromAddress() {
  const fields = new URLSearchParams(location.search);
  const date = (name) => (/^\d{4}-\d\d-\d\d$/.test(fields.get(name) ?? "") ? fields.get(name) : "");
  return {
    image: fields.get("image"),
    photo: null,
    crop: fromText(fields.get("crop")),
    filters: {
      tags: fields.getAll("tag").filter(Boolean),
      owner: fields.get("owner") ?? "",
      after: date("after"),
      before: date("before"),
      sort: fields.get("sort") === "newest" ? "newest" : "similarity",
      copies: fields.get("copies") === "on",
    },
    trail: [],
  };
}

/** The place that the browser is at, also after a reload or a step back. */
export function current() {
  return history.state?.place ?? fromAddress();
}

/** The number of the place among those of this tab. */
export function depth() {
  return history.state?.depth ?? 0;
}

function state(place, number) {
  return { place, depth: number, scrolled: 0 };
}

/** Goes on to a place; `trail` grows by the query that is left if the place has another query. */
export function goTo(place) {
  remember(current());
  history.pushState(state(place, depth() + 1), "", address(place));
}

/** Puts `place` where the browser is. */
export function remember(place) {
  history.replaceState({ ...state(place, depth()), scrolled: scrollY }, "", address(place));
}

export function scrolled() {
  return history.state?.scrolled ?? 0;
}

/** The address of a place that is not visited yet, for a link. */
export function addressOf(image) {
  return address({ image, filters: NO_FILTERS });
}

/** The trail of the place that follows: one step {image, photo, depth} for each earlier query. */
export function trailFrom(place) {
  if (!hasQuery(place)) return [];
  return [...place.trail, { image: place.image, photo: place.photo, depth: depth() }];
}
