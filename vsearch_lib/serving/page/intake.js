// Ways to bring a photo: choose, drop, paste.

function imageIn(files) {
  return [...(files ?? [])].find((file) => file.type.startsWith("image/"));
}

/** Calls `take(file)` with each photo that the person brings, and `refuse(line)` if it is something else. */
export function takePhotos({ take, refuse }) {
  const file = document.getElementById("file");
  for (const button of document.querySelectorAll("[data-pick]")) button.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    // Some browsers do not know the type of every picture: the server decides.
    if (file.files.length) take(file.files[0]);
    file.value = ""; // so that the same photo can be chosen again
  });

  document.addEventListener("paste", (event) => {
    const photo = imageIn(event.clipboardData?.files);
    if (!photo) return; // text for a field
    event.preventDefault();
    take(photo);
  });

  const root = document.documentElement;
  const hasFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    root.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) root.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    root.classList.remove("dropping");
    if (!hasFile(event)) return;
    event.preventDefault();
    const photo = imageIn(event.dataTransfer.files) ?? event.dataTransfer.files[0];
    if (photo) take(photo);
    else refuse("Drop a photo file: this has none.");
  });
}
