// The way back: the earlier queries as small pictures, oldest first.

import { pictureAddress } from "./api.js";
import { depth, photoOf } from "./places.js";

const SHOWN_STEPS = 5;

function step({ image, photo, depth: number }) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", `Back to ${photo ? "your photo" : `the image ${image}`}`);
  button.addEventListener("click", () => history.go(number - depth()));
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = photo ? photoOf({ photo }).address : pictureAddress(image, "thumbnail");
  button.append(picture);
  const item = document.createElement("li");
  item.append(button);
  return item;
}

export function showTrail(place) {
  // After a reload the photos are gone, and so are steps that began with one.
  const steps = place.trail.filter(({ photo }) => !photo || photoOf({ photo }));
  document.getElementById("trail").hidden = depth() === 0;
  document.getElementById("trail-steps").replaceChildren(...steps.slice(-SHOWN_STEPS).map(step));
}

document.getElementById("back").addEventListener("click", () => history.back());
