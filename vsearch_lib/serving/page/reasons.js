// The rules that touched an answer, in plain words.

const WORDS = {
};

/** One sentence for the rules of an answer, empty if none touched it. */
export function reasons(rules) {
  return rules.map((rule) => WORDS[rule] ?? rule.replaceAll("_", " ")).join("; ");
}
