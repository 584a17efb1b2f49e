// A random number that stands for this tab until it is closed. It says nothing about the person.

const NAME = "vsearch-session";

export function randomName() {
  // crypto.randomUUID exists only on https and localhost.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function stored() {
  try {
    const name = sessionStorage.getItem(NAME) ?? randomName();
    sessionStorage.setItem(NAME, name);
    return name;
  } catch {
    return randomName(); // the browser keeps nothing for this page
  }
}

export const session = stored();
