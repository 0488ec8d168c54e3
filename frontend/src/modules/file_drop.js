// The file field shows what was chosen or dropped. The input lies over the box, so dropping works by itself.
export function startFileDrop() {
  document.addEventListener("change", (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (drop) showName(drop, event.target.files);
  });
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      const drop = event.target.closest?.("[data-drop]");
      if (!drop) return;
      if (type === "dragenter" || type === "dragover") drop.dataset.over = "";
      else delete drop.dataset.over;
    });
  }
}

function showName(drop, files) {
  const name = drop.querySelector("[data-drop-name]");
  drop.dataset.empty ??= name.textContent;
  name.textContent = [...files].map((file) => `${file.name} (${size(file.size)})`).join(", ") || drop.dataset.empty;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(0)} kB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
