// The box on the photo: drawn, moved and sized by mouse, touch and keyboard.

import { WHOLE, between, inWords, isWhole, moved, resized } from "./box.js";

const STEP = 0.05;
const FINE_STEP = 0.01;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Cropper {
  #photo;
  #crop;
  #box = WHOLE;
  #drag = null;
  #changed;
  #say;

  /** `changed(box)` is called when the person has changed the box, `say(text)` with the box in words. */
  constructor(photo, { changed, say }) {
    this.#photo = photo;
    this.#crop = photo.querySelector(".crop");
    this.#changed = changed;
    this.#say = say;
    photo.addEventListener("pointerdown", (event) => this.#grab(event));
    photo.addEventListener("pointermove", (event) => this.#follow(event));
    photo.addEventListener("pointerup", (event) => this.#release(event));
    photo.addEventListener("pointercancel", (event) => this.#release(event));
    this.#crop.addEventListener("keydown", (event) => this.#key(event));
  }

  get box() {
    return this.#box;
  }

  /** Shows a box that the person did not draw. */
  set box(box) {
    this.#box = box;
    for (const [name, value] of Object.entries(box)) this.#photo.style.setProperty(`--${name}`, value);
    this.#photo.classList.toggle("part", !isWhole(box));
    document.getElementById("crop-state").textContent = inWords(box);
  }

  /** Takes a box as if the person had drawn it. */
  choose(box) {
    this.box = box;
    this.#say(inWords(box));
    this.#changed(box);
  }

  #point(event) {
    const frame = this.#photo.querySelector(".frame").getBoundingClientRect();
    return { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height };
  }

  #grab(event) {
    if (event.button !== 0 || this.#drag) return;
    const handle = event.target.closest(".handle");
    const inBox = event.target === this.#crop && !isWhole(this.#box);
    // A finger beside the box scrolls the page.
    if (!handle && !inBox && event.pointerType === "touch") return;
    const from = this.#point(event);
    const before = this.#box;
    const edges = new Set(handle?.dataset.edges.split(" "));
    const follow = handle
      ? (to) => resized(before, edges, to.x - from.x, to.y - from.y)
      : inBox
        ? (to) => moved(before, to.x - from.x, to.y - from.y)
        : (to) => between(from, to) ?? before;
    this.#drag = { pointer: event.pointerId, before, follow };
    this.#photo.setPointerCapture(event.pointerId);
    this.#photo.classList.add("dragging");
    this.#crop.focus({ preventScroll: true });
    event.preventDefault();
  }

  #follow(event) {
    if (event.pointerId === this.#drag?.pointer) this.box = this.#drag.follow(this.#point(event));
  }

  #release(event) {
    if (event.pointerId !== this.#drag?.pointer) return;
    const { before } = this.#drag;
    this.#drag = null;
    this.#photo.classList.remove("dragging");
    if (event.type === "pointercancel") this.box = before;
    else if (this.#box !== before) this.choose(this.#box);
  }

  #key(event) {
    if (event.key === "Escape" && !isWhole(this.#box)) {
      this.choose(WHOLE);
    } else if (event.key in ARROWS && !event.metaKey) {
      const step = event.altKey || event.ctrlKey ? FINE_STEP : STEP;
      const [right, down] = ARROWS[event.key].map((direction) => direction * step);
      const box = event.shiftKey
        ? resized(this.#box, new Set(["right", "bottom"]), right, down)
        : moved(this.#box, right, down);
      if (Object.keys(box).some((name) => Math.abs(box[name] - this.#box[name]) > 1e-6)) this.choose(box);
      else if (isWhole(this.#box)) this.#say("The whole picture. Shift with arrow left or arrow up makes a box.");
      else this.#say(`It ends here. ${inWords(this.#box)}`);
    } else {
      return;
    }
    event.preventDefault();
  }
}
