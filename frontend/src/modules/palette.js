// The command palette (Ctrl-K): go to a page, a use case, a gate; do what the current page offers.
export function startPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const state = { palette, input: palette.querySelector("input"), list: palette.querySelector("[role=listbox]"), at: 0 };
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    palette.open ? palette.close() : open(state);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open(state);
  });
  palette.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) run(state, option);
    else if (event.target === palette) palette.close();
  });
  state.input.addEventListener("input", () => refresh(state));
  state.input.addEventListener("keydown", (event) => onKey(state, event));
}

function open(state) {
  state.input.value = "";
  state.palette.showModal();
  refresh(state);
  state.input.focus();
}

function onKey(state, event) {
  const options = state.list.querySelectorAll("[role=option]");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const by = event.key === "ArrowDown" ? 1 : -1;
    choose(state, (state.at + by + options.length) % Math.max(options.length, 1));
  } else if (event.key === "Enter" && options[state.at]) {
    event.preventDefault();
    run(state, options[state.at]);
  }
}

function refresh(state) {
  const text = state.input.value.trim().toLowerCase();
  const entries = [...pageCommands(), ...frameEntries(state.palette)].filter((each) => matches(each.title, text));
  show(state, entries);
  clearTimeout(state.timer);
  if (text.length > 1 && state.palette.dataset.url) state.timer = setTimeout(() => search(state, text, entries), 150);
}

async function search(state, text, entries) {
  const address = new URL(state.palette.dataset.url, location.href);
  address.searchParams.set("q", text);
  let results;
  try {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    results = (await response.json()).results;
  } catch {
    return; // Off line or signed out: the page's own entries remain.
  }
  if (state.input.value.trim().toLowerCase() !== text) return;
  const found = results.map((each) => ({ title: each.title, hint: each.hint, url: each.url, icon: each.icon ?? "arrow-right", group: "found" }));
  show(state, [...found, ...entries]);
}

function frameEntries(palette) {
  return [...palette.querySelectorAll("[data-entries] a")].map((link) => ({
    title: link.textContent.trim(),
    url: link.href,
    icon: link.dataset.icon,
    group: link.dataset.kind,
  }));
}

function pageCommands() {
  const marked = [...document.querySelectorAll("[data-command]")].filter((each) => each.checkVisibility());
  return marked.map((element) => ({ title: element.textContent.trim(), element, icon: "play", group: "do" }));
}

// Every word of the question has to start a word of the title.
function matches(title, text) {
  const words = title.toLowerCase().split(/\s+/);
  return text.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)));
}

function show(state, entries) {
  state.list.replaceChildren();
  state.entries = entries;
  let group = null;
  entries.forEach((entry, index) => {
    if (entry.group !== group) state.list.append(heading(state.list.dataset[entry.group] ?? ""));
    group = entry.group;
    state.list.append(option(state, entry, index));
  });
  if (!entries.length) state.list.append(heading(state.list.dataset.nothing));
  choose(state, 0);
}

function heading(text) {
  const element = document.createElement("div");
  element.className = "palette__group";
  element.setAttribute("role", "presentation");
  element.textContent = text;
  return element;
}

function option(state, entry, index) {
  const element = document.createElement("div");
  element.className = "palette__option";
  element.setAttribute("role", "option");
  element.id = `palette-option-${index}`;
  element.dataset.index = index;
  const title = document.createElement("span");
  title.textContent = entry.title;
  element.append(icon(state.palette.dataset.icons, entry.icon), title);
  if (entry.hint) {
    const hint = document.createElement("small");
    hint.textContent = entry.hint;
    element.append(hint);
  }
  return element;
}

export function icon(sprite, name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function choose(state, index) {
  state.at = index;
  const options = state.list.querySelectorAll("[role=option]");
  options.forEach((each, at) => each.setAttribute("aria-selected", String(at === index)));
  if (!options[index]) return state.input.removeAttribute("aria-activedescendant");
  state.input.setAttribute("aria-activedescendant", options[index].id);
  options[index].scrollIntoView({ block: "nearest" });
}

function run(state, option) {
  const entry = state.entries[Number(option.dataset.index)];
  state.palette.close();
  if (entry.element) entry.element.click();
  else location.assign(entry.url);
}
