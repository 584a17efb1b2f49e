// Answers in rows of equal height: each card grows by the ratio of its picture (page.css).

import { pictureAddress } from "./api.js";
import { addressOf } from "./places.js";
import { reasons } from "./reasons.js";

const NARROWEST = 0.55; // width to height; a more extreme picture is cut
const WIDEST = 2.4;
const SHOWN_TAGS = 4;
const SKELETON = [1.3, 0.8, 1, 0.7, 1.5, 0.9, 1.2, 0.75, 1, 1.4, 0.8, 1.1];

const named = (card, name) => card.querySelector(`[data-${name}]`);

function fill(card, answer, actions) {
  const { image_id: id, rank, cosine, tags } = answer;
  const link = card.querySelector(".picture");
  link.href = addressOf(id);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // opens another tab
    event.preventDefault();
    actions.open(answer);
  });
  const image = link.querySelector("img");
  image.addEventListener("load", () => {
    const ratio = image.naturalWidth / image.naturalHeight;
    card.style.setProperty("--ratio", Math.min(Math.max(ratio, NARROWEST), WIDEST));
    card.classList.add("loaded");
  });
  image.addEventListener("error", () => card.classList.add("missing"));
  image.alt = `Image ${rank}: ${tags.length ? tags.join(", ") : id}`;
  image.src = pictureAddress(id, "thumbnail");

  const tagList = named(card, "tags");
  for (const tag of tags.slice(0, SHOWN_TAGS)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = tag;
    button.setAttribute("aria-label", `Only with the tag ${tag}`);
    button.addEventListener("click", () => actions.filterTag(tag));
    tagList.append(document.createElement("li"));
    tagList.lastChild.append(button);
  }
  tagList.hidden = tags.length === 0 || !actions.filterTag;
  if (cosine === undefined) {
    card.classList.add("plain");
    return;
  }
  fillFacts(card, answer, actions);
}

function fillFacts(card, answer, actions) {
  const { image_id: id, rank, cosine, owner_id: owner, uploaded_at: uploaded, source_uri: source } = answer;
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
  card.querySelector(".thumbs").setAttribute("aria-label", `Answer ${rank}`);
  for (const thumb of card.querySelectorAll("[data-thumb]")) {
    const direction = thumb.dataset.thumb;
    thumb.setAttribute("aria-label", direction === "up" ? "Good answer" : "Bad answer");
    thumb.addEventListener("click", () => {
      if (thumb.getAttribute("aria-pressed") === "true") return;
      for (const each of card.querySelectorAll("[data-thumb]")) each.setAttribute("aria-pressed", String(each === thumb));
      actions.judge(answer, direction);
    });
  }
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
 * Shows answers in a list. `actions` has open, openOriginal, judge (with an answer), filterTag and filterOwner;
 * `seen(answer)` is called once for each answer, when half of its picture is on the screen.
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
