// What the model looks at, drawn over the query and over the answers on the screen: dark parts hardly count.

import { look } from "./api.js";

const DARKEST = 0.8;
const SMALL_SIDE = 640; // pixels; a map is much coarser

/** Draws rows of 0 to 1 as a shade, one pixel a value; the browser scales it smoothly. */
function draw(canvas, { values }) {
  const [height, width] = [values.length, values[0].length];
  Object.assign(canvas, { width, height, hidden: false });
  const shade = new ImageData(width, height);
  values.flat().forEach((value, index) => (shade.data[4 * index + 3] = 255 * DARKEST * (1 - value)));
  canvas.getContext("2d").putImageData(shade, 0, 0);
}

/** A small copy of a photo, because it is sent once for each answer; the photo itself if it cannot be decoded. */
async function small(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SMALL_SIDE / Math.min(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.round(scale * picture.width), Math.round(scale * picture.height));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  } catch {
    return file;
  }
}

export class Look {
  #queryCanvas;
  #stop = null;

  constructor(queryCanvas) {
    this.#queryCanvas = queryCanvas;
  }

  /** Shows the maps of a query and of those cards that come on the screen; `refuse(line)` is called if one fails. */
  show(list, query, photo, refuse) {
    this.hide();
    const asking = new AbortController();
    const waiting = new Set();
    const maps = new Map();
    let busy = false;
    let copy = null;

    const next = async () => {
      if (busy || !waiting.size) return;
      busy = true;
      const [card] = waiting;
      waiting.delete(card);
      try {
        copy ??= photo && (await small(photo));
        const pair = await look(query, copy, card.answer.image_id, asking.signal);
        if (asking.signal.aborted) return;
        maps.set(card, pair);
        draw(card.querySelector(".map"), pair.answer);
        if (maps.size === 1) draw(this.#queryCanvas, pair.query);
      } catch (error) {
        if (asking.signal.aborted) return;
        waiting.clear();
        refuse(error.message);
      }
      busy = false;
      next();
    };
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting && !maps.has(target)) waiting.add(target);
        else waiting.delete(target);
      }
      next();
    });
    for (const card of list.querySelectorAll(".card")) {
      observer.observe(card);
      const compare = () => maps.has(card) && draw(this.#queryCanvas, maps.get(card).query);
      card.addEventListener("pointerenter", compare, { signal: asking.signal });
      card.addEventListener("focusin", compare, { signal: asking.signal });
    }
    this.#stop = () => {
      asking.abort();
      observer.disconnect();
      for (const canvas of list.querySelectorAll(".map")) canvas.hidden = true;
    };
  }

  hide() {
    this.#stop?.();
    this.#stop = null;
    this.#queryCanvas.hidden = true;
  }
}
