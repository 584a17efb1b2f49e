// The page: from what the person does to the next place, and from the place to what is shown.

import { randomImages, pictureAddress, search } from "./api.js";
import { WHOLE, fromNumbers, isWhole } from "./box.js";
import { Cropper } from "./cropper.js";
import * as feedback from "./feedback.js";
import { FilterForm } from "./filters.js";
import { showAnswers, showBusy } from "./grid.js";
import { takePhotos } from "./intake.js";
import { Look } from "./look.js";
import * as places from "./places.js";
import { showTrail } from "./trail.js";
import { say } from "./voice.js";

const FIRST_ANSWERS = 24;
const MOST_ANSWERS = 96;
const CROP_WAIT_MS = 500; // longer than what is said about the box waits
const WORTH_ASKING = 0.9; // of the photo: a suggested part that is larger is as good as the whole
const KEPT_RESULTS = 30;

const part = (id) => document.getElementById(id);

let place = null;
let asking = new AbortController();
let cropWait;
let result = null;
const results = new Map(); // of earlier places, so that a step back is instant

const cropper = new Cropper(part("photo"), { changed: cropChanged, say });
const form = new FilterForm((filters) => goOn({ filters, k: FIRST_ANSWERS }));
const look = new Look(part("photo-map"));

const actions = {
  seen: feedback.shown,
  judge: feedback.judged,
  openOriginal: (answer) => {
    feedback.opened(answer);
    addEventListener("focus", feedback.returned, { once: true });
  },
  open: (answer) => {
    searchLike(answer.image_id);
    feedback.opened(answer);
  },
  filterTag: (tag) => {
    const { filters } = place;
    if (!filters.tags.includes(tag)) goOn({ filters: { ...filters, tags: [...filters.tags, tag] } });
  },
  filterOwner: (owner) => goOn({ filters: { ...place.filters, owner } }),
};

/** Goes to another place, which differs from this one by `changes`. */
function goOn(changes, { keepFocus = true } = {}) {
  feedback.returned();
  places.goTo({ ...place, ...changes });
  arrive({ keepFocus });
}

function newQuery(query) {
  const trail = places.trailFrom(place);
  goOn({ image: null, photo: null, crop: null, k: FIRST_ANSWERS, ...query, trail }, { keepFocus: false });
  scrollTo(0, 0);
}

const searchLike = (image) => newQuery({ image, filters: places.NO_FILTERS });

function cropChanged(box) {
  hideOffer();
  place = { ...place, crop: isWhole(box) ? null : box, k: FIRST_ANSWERS, offered: true };
  places.remember(place);
  part("whole").hidden = isWhole(box);
  clearTimeout(cropWait);
  cropWait = setTimeout(ask, CROP_WAIT_MS);
}

/** Shows the place that the browser is at. */
function arrive({ keepFocus = true } = {}) {
  clearTimeout(cropWait);
  const before = place;
  place = places.current();
  const searching = places.hasQuery(place);
  part("start").hidden = searching;
  part("search").hidden = !searching;
  document.title = searching ? "Images that look alike · vsearch" : "vsearch";
  if (!searching) {
    if (!keepFocus) part("start-title").focus();
    return showStart();
  }
  showTrail(place);
  form.filters = place.filters;
  const samePicture = before && before.image === place.image && before.photo === place.photo;
  if (!samePicture) showQuery();
  cropper.box = place.crop ?? WHOLE;
  part("whole").hidden = !place.crop;
  hideOffer();
  if (!keepFocus) part("query-title").focus({ preventScroll: true });
  return ask();
}

function showQuery() {
  const photo = places.photoOf(place);
  part("query-title").textContent = photo ? "Images like your photo" : "Images like this one";
  part("photo-picture").alt = photo ? "Your photo" : `Image ${place.image}`;
  part("photo-picture").src = photo ? photo.address : pictureAddress(place.image, "full");
  part("grid").replaceChildren();
  result = null;
}

for (const event of ["load", "error"]) {
  part("photo-picture").addEventListener(event, () => {
    part("photo").hidden = event === "error";
    part("no-picture").hidden = event === "load" || !places.photoOf(place);
    const { naturalWidth: width, naturalHeight: height } = part("photo-picture");
    if (height) part("photo").style.setProperty("--photo-ratio", width / height);
  });
}

async function showStart() {
  const signal = newAsking();
  part("start-images").replaceChildren();
  showBusy(part("start-images"));
  try {
    const { answers, version } = await randomImages(FIRST_ANSWERS, signal);
    if (signal.aborted) return;
    const ranked = answers.map((answer, index) => ({ ...answer, rank: index + 1 }));
    showAnswers(part("start-images"), ranked, { open: ({ image_id: id }) => searchLike(id) });
    showVersion(version);
  } catch (error) {
    refuse(error, signal, part("start-images"));
  }
}

/** A new signal; the question before it is no longer waited for. */
function newAsking() {
  asking.abort();
  asking = new AbortController();
  part("alert").hidden = true;
  return asking.signal;
}

async function ask() {
  const signal = newAsking();
  look.hide();
  const query = { k: FIRST_ANSWERS, ...place };
  const key = JSON.stringify([query.image, query.photo, query.crop, query.filters, query.k]);
  if (!results.has(key)) {
    showBusy(part("grid"));
    part("summary").textContent = "Searching …";
    try {
      const found = await search(query, places.photoOf(place)?.file, signal);
      if (signal.aborted) return;
      results.set(key, { ...found, answers: found.answers.map((each) => ({ ...each, request_id: found.request_id })) });
      if (results.size > KEPT_RESULTS) results.delete(results.keys().next().value);
    } catch (error) {
      return refuse(error, signal, part("grid"));
    }
  }
  result = results.get(key);
  return showResult(query.k);
}

function showResult(k) {
  const { answers, note, timings_ms: timings, suggested_crop: suggested, version } = result;
  // A judgement is about two whole images of the catalogue.
  const judge = place.image && !place.crop ? actions.judge : null;
  showAnswers(part("grid"), answers, { ...actions, judge });
  const count = `${answers.length || "No"} answer${answers.length === 1 ? "" : "s"}`;
  const duration = Object.values(timings).reduce((sum, each) => sum + each, 0);
  // Answers that the server had kept take no time.
  part("summary").textContent = duration ? `${count} in ${Math.ceil(duration)} ms` : count;
  part("note").textContent = note ?? (answers.length ? "" : "Nothing in the catalogue is similar enough.");
  part("note").hidden = !part("note").textContent;
  part("more").hidden = answers.length < k || k >= MOST_ANSWERS;
  form.offer(answers.flatMap(({ tags }) => tags));
  showVersion(version);
  const suggestion = suggested && fromNumbers(suggested);
  const offered = suggestion && !place.crop && !place.offered && suggestion.width * suggestion.height < WORTH_ASKING;
  if (offered) offer(suggestion);
  say([`${count}.`, note, offered && "A part of the photo is suggested."].filter(Boolean).join(" "));
  if (part("look").getAttribute("aria-pressed") === "true") showLook();
}

function refuse(error, signal, list) {
  if (signal.aborted) return;
  list.removeAttribute("aria-busy");
  list.replaceChildren();
  part("summary").textContent = "";
  part("note").hidden = true;
  part("more").hidden = true;
  warn(error.message);
}

function warn(line) {
  part("alert-text").textContent = line;
  part("alert").hidden = false;
}

function showVersion(version) {
  part("version").textContent = `Index ${version}.`;
}

function offer(box) {
  for (const [name, value] of Object.entries(box)) part("suggestion").style.setProperty(`--${name}`, value);
  part("suggestion").hidden = part("offer").hidden = false;
  part("take-suggestion").onclick = () => {
    cropper.choose(box);
    part("crop").focus();
  };
}

function hideOffer() {
  part("suggestion").hidden = part("offer").hidden = true;
}

function showLook() {
  const query = { k: FIRST_ANSWERS, ...place };
  look.show(part("grid"), query, places.photoOf(place)?.file, warn);
}

part("drop-suggestion").addEventListener("click", () => {
  hideOffer();
  place = { ...place, offered: true };
  places.remember(place);
  part("crop").focus();
});
part("whole").addEventListener("click", () => {
  cropper.choose(WHOLE);
  part("crop").focus();
});
part("look").addEventListener("click", () => {
  const on = part("look").getAttribute("aria-pressed") !== "true";
  part("look").setAttribute("aria-pressed", String(on));
  part("legend").hidden = !on;
  if (on && result) showLook();
  else look.hide();
});
part("more").addEventListener("click", () => {
  place = { ...place, k: (place.k ?? FIRST_ANSWERS) * 2 };
  places.remember(place);
  ask();
});
part("retry").addEventListener("click", () => arrive());
part("others").addEventListener("click", showStart);
part("random").addEventListener("click", async () => {
  try {
    const { answers } = await randomImages(1);
    if (answers.length) searchLike(answers[0].image_id);
  } catch (error) {
    warn(error.message);
  }
});
part("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  goOn({ image: null, photo: null, crop: null, filters: places.NO_FILTERS, trail: [] }, { keepFocus: false });
});
takePhotos({
  take: (file) => newQuery({ photo: places.keepPhoto(file), offered: false, filters: places.NO_FILTERS }),
  refuse: warn,
});
addEventListener("popstate", async () => {
  feedback.returned();
  const scrolled = places.scrolled();
  await arrive();
  scrollTo(0, scrolled);
});
history.scrollRestoration = "manual";
// Filters are beside the photo if there is room, and folded if there is not.
part("filters").open = matchMedia("(min-width: 48rem)").matches;
arrive();
