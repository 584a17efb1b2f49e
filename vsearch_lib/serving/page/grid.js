// Answers in rows of equal height: each card grows by the ratio of its picture (page.css).

import { pictureAddress } from "./api.js";
import { addressOf } from "./places.js";
import { reasons } from "./reasons.js";

const NARROWEST = 0.55; // width to height; a more extreme picture is cut
const WIDEST = 1.8;
const SHOWN_TAGS = 6;
const SKELETON = [1.3, 0.8, 1, 0.7, 1.5, 0.9, 1.2, 0.75, 1, 1.4, 0.8, 1.1];

const ratios = new Map(); // of the pictures that were shown; then rows do not move when they are shown again
const thumbs = new WeakMap(); // answer -> the thumb that was pressed

const named = (card, name) => card.querySelector(`[data-${name}]`);

function fill(card, answer, actions) {
  const { image_id: id, rank, tags } = answer;
  const link = card.querySelector(".picture");
  link.href = addressOf(id);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // opens another tab
    event.preventDefault();
    actions.open(answer);
  });
  const image = link.querySelector("img");
  image.addEventListener("load", () => {
    ratios.set(id, Math.min(Math.max(image.naturalWidth / image.naturalHeight, NARROWEST), WIDEST));
    card.style.setProperty("--ratio", ratios.get(id));
    card.classList.add("loaded");
  });
  image.addEventListener("error", () => card.classList.add("missing"));
  if (ratios.has(id)) card.style.setProperty("--ratio", ratios.get(id));
  image.alt = `Image ${rank}: ${tags.length ? tags.join(", ") : id}`;
  image.src = pictureAddress(id, "thumbnail");
  if (answer.cosine === undefined) card.classList.add("plain"); // shown for a start, not found
  else fillFacts(card, answer, actions);
}

function fillTags(list, tags, actions) {
  for (const tag of tags.slice(0, SHOWN_TAGS)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = tag;
    button.setAttribute("aria-label", `Only with the tag ${tag}`);
    button.addEventListener("click", () => actions.filterTag(tag));
    list.append(document.createElement("li"));
    list.lastChild.append(button);
  }
  list.hidden = tags.length === 0;
}

function fillFacts(card, answer, actions) {
  const { image_id: id, rank, cosine, owner_id: owner, uploaded_at: uploaded, source_uri: source } = answer;
  fillTags(named(card, "tags"), answer.tags, actions);
  named(card, "similarity").textContent = cosine.toFixed(2);
  card.style.setProperty("--similarity", Math.max(0, cosine));
  const why = reasons(answer.rules);
  named(card, "why").textContent = why;
  named(card, "why").hidden = !why;
  named(card, "id").textContent = id;
  named(card, "owner").textContent = owner;
  named(card, "owner").setAttribute("aria-label", `Only of the owner ${owner}`);
  named(card, "owner").addEventListener("click", () => actions.filterOwner(owner));
  named(card, "uploaded").textContent = new Date(uploaded).toLocaleDateString();
  named(card, "uploaded").dateTime = uploaded;
  named(card, "source").append(original(source, () => actions.openOriginal(answer)));
  const group = card.querySelector(".thumbs");
  group.hidden = !actions.judge;
  group.setAttribute("aria-label", `Judge answer ${rank}`);
  const pressed = () => {
    for (const thumb of group.children) thumb.setAttribute("aria-pressed", thumbs.get(answer) === thumb.dataset.thumb);
  };
  for (const thumb of group.children) {
    thumb.addEventListener("click", () => {
      if (thumbs.get(answer) === thumb.dataset.thumb) return;
      thumbs.set(answer, thumb.dataset.thumb);
      pressed();
      actions.judge(answer, thumb.dataset.thumb);
    });
  }
  pressed();
}

/** A link if the source is on the web; other programs' addresses are shown, not followed. */
function original(source, followed) {
  if (!/^https?:\/\//i.test(source ?? "")) return document.createTextNode(source ?? "unknown");
  const link = document.createElement("a");
  link.href = source;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = "Open the original";
  link.addEventListener("click", followed);
  return link;
}

/**
 * Shows answers in a list. `actions` has open, openOriginal, filterTag, filterOwner, judge, which is null if answers
 * cannot be judged, and seen, which is called when half of an answer's picture is on the screen.
 */
export function showAnswers(list, answers, actions) {
  list.removeAttribute("aria-busy");
  list.seen?.disconnect();
  list.seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        list.seen.unobserve(target);
        actions.seen?.(target.closest(".card").answer);
      }
    },
    { threshold: 0.5 },
  );
  list.replaceChildren(
    ...answers.map((answer) => {
      const card = document.getElementById("card").content.firstElementChild.cloneNode(true);
      card.answer = answer;
      fill(card, answer, actions);
      list.seen.observe(card.querySelector(".picture"));
      return card;
    }),
  );
}

/** Shows that answers are on their way: those of the last search stay, dimmed, or else grey cards. */
export function showBusy(list) {
  list.setAttribute("aria-busy", "true");
  if (list.childElementCount) return;
  list.replaceChildren(
    ...SKELETON.map((ratio) => {
      const card = document.createElement("li");
      card.className = "card skeleton";
      card.style.setProperty("--ratio", ratio);
      card.append(document.createElement("div"));
      return card;
    }),
  );
}
