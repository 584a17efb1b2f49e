// The form of filters: which answers are wanted, and in which order.

import { NO_FILTERS } from "./places.js";

const field = (id) => document.getElementById(id);

export class FilterForm {
  #tags = [];
  #changed;

  /** `changed(filters)` is called when the person has changed a filter. */
  constructor(changed) {
    this.#changed = changed;
    field("filter-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#addTags();
    });
    field("filter-form").addEventListener("change", (event) => {
      if (event.target.id === "tag") this.#addTags();
      else if (event.target.validity.valid) this.#changed(this.filters);
    });
    field("no-filters").addEventListener("click", () => this.#changed(NO_FILTERS));
  }

  get filters() {
    return {
      tags: this.#tags,
      owner: field("owner").value.trim(),
      after: field("after").value,
      before: field("before").value,
      sort: field("sort").value,
      copies: field("copies").checked,
    };
  }

  /** Shows filters; `changed` is not called. */
  set filters(filters) {
    this.#tags = [...filters.tags];
    for (const name of ["owner", "after", "before", "sort"]) field(name).value = filters[name];
    field("copies").checked = filters.copies;
    field("tags").replaceChildren(...this.#tags.map((tag) => this.#chip(tag)));
    const { tags, owner, after, before, copies } = filters;
    const set = tags.length + [owner, after, before, copies].filter(Boolean).length + (filters.sort !== "similarity");
    field("filter-count").textContent = set ? `(${set})` : "";
    field("no-filters").hidden = !set;
  }

  /** Offers the tags of the answers while a tag is typed. */
  offer(tags) {
    field("known-tags").replaceChildren(
      ...[...new Set(tags)].sort().map((tag) => Object.assign(document.createElement("option"), { value: tag })),
    );
  }

  #addTags() {
    const typed = field("tag").value.split(",").map((tag) => tag.trim());
    field("tag").value = "";
    const added = typed.filter((tag) => tag && !this.#tags.includes(tag));
    if (added.length) this.#changed({ ...this.filters, tags: [...this.#tags, ...added] });
  }

  #chip(tag) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${tag} ×`;
    button.setAttribute("aria-label", `Remove the tag ${tag}`);
    button.addEventListener("click", () => {
      this.#changed({ ...this.filters, tags: this.#tags.filter((each) => each !== tag) });
      field("tag").focus();
    });
    item.append(button);
    return item;
  }
}
