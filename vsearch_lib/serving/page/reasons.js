// The rules that touched an answer, in plain words.

const WORDS = {
  near_duplicates: "Stands for images that look the same",
  owner_limit: "Its owner has more like this",
  diversity: "Placed so that the answers differ",
  newest: "Placed by its date",
};

/** One line for the rules of an answer, empty if none touched it. */
export function reasons(rules) {
  return rules.map((rule) => WORDS[rule] ?? rule.replaceAll("_", " ")).join(" · ");
}
