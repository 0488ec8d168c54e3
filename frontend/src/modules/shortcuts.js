// "/" goes to the search; a key named by data-shortcut presses what carries it. Nothing fires while somebody is typing.
export function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") != null;
}

export function startShortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("[data-submit]")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    if (event.key === "/") return toSearch(event);
    const wanted = [...document.querySelectorAll("[data-shortcut]")].find((each) => each.dataset.shortcut === event.key.toLowerCase() && each.checkVisibility());
    if (!wanted || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    wanted.click();
    if (wanted.matches("summary") && wanted.parentElement.open) wanted.parentElement.querySelector("select, input:not([type=hidden]), textarea")?.focus();
  });
}

function toSearch(event) {
  const search = document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
}
