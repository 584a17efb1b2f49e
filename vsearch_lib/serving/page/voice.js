// Says changes to people who do not see them, at most one sentence at a time.

const QUIET_MS = 300;
let waiting;

/** Says the last of several texts that follow each other quickly. */
export function say(text) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const sentence = document.createElement("p");
    sentence.textContent = text;
    // A new node is announced even if it says the same as the last one.
    document.getElementById("voice").replaceChildren(sentence);
  }, QUIET_MS);
}
