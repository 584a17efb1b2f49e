// A box is a part of a picture, in fractions of its sides: {x, y, width, height}.

export const WHOLE = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });
const SMALLEST_SIDE = 0.05;
const DIGITS = 1e4;

const limited = (value, low, high) => Math.min(Math.max(value, low), high);

export function isWhole(box) {
  return box.width >= 1 && box.height >= 1;
}

export function moved(box, right, down) {
  return {
    ...box,
    x: limited(box.x + right, 0, 1 - box.width),
    y: limited(box.y + down, 0, 1 - box.height),
  };
}

/** Moves some edges of a box; `edges` is a set of "left", "right", "top" and "bottom". */
export function resized(box, edges, right, down) {
  let [left, top, end, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
  if (edges.has("left")) left = limited(left + right, 0, end - SMALLEST_SIDE);
  if (edges.has("right")) end = limited(end + right, left + SMALLEST_SIDE, 1);
  if (edges.has("top")) top = limited(top + down, 0, bottom - SMALLEST_SIDE);
  if (edges.has("bottom")) bottom = limited(bottom + down, top + SMALLEST_SIDE, 1);
  return { x: left, y: top, width: end - left, height: bottom - top };
}

/** The box between two points {x, y}; it is null while it is too small to be meant. */
export function between(first, second) {
  const left = limited(Math.min(first.x, second.x), 0, 1);
  const top = limited(Math.min(first.y, second.y), 0, 1);
  const width = limited(Math.max(first.x, second.x), 0, 1) - left;
  const height = limited(Math.max(first.y, second.y), 0, 1) - top;
  return Math.min(width, height) < SMALLEST_SIDE ? null : { x: left, y: top, width, height };
}

export function fromNumbers(numbers) {
  const [x, y, width, height] = numbers;
  return { x, y, width, height };
}

/** As the server takes it: `x,y,w,h`, which do not reach beyond the picture by rounding. */
export function toText(box) {
  const x = Math.round(box.x * DIGITS);
  const y = Math.round(box.y * DIGITS);
  const width = Math.min(Math.round(box.width * DIGITS), DIGITS - x);
  const height = Math.min(Math.round(box.height * DIGITS), DIGITS - y);
  return [x, y, width, height].map((number) => number / DIGITS).join(",");
}

/** A box from `x,y,w,h` in an address; it is null if the text is anything else. */
export function fromText(text) {
  const numbers = (text ?? "").split(",").map(Number);
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const box = fromNumbers(numbers);
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= 1.0001 && box.y + box.height <= 1.0001;
  return inside && box.width > 0 && box.height > 0 && !isWhole(box) ? box : null;
}

export function inWords(box) {
  if (isWhole(box)) return "The whole picture.";
  const percent = (share) => `${Math.round(100 * share)} percent`;
  const third = (middle, names) => names[Math.min(2, Math.floor(3 * middle))];
  const row = third(box.y + box.height / 2, ["top", "middle", "bottom"]);
  const column = third(box.x + box.width / 2, ["left", "centre", "right"]);
  return (
    `Box at the ${row} ${column}: ${percent(box.width)} wide, ${percent(box.height)} high, ` +
    `${percent(box.x)} from the left, ${percent(box.y)} from the top.`
  );
}
