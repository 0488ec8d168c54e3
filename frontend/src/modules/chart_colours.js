// The tokens as the canvas needs them: resolved to plain colours of the theme that is on now.
export function colours() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const token = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    ink: token("ink"),
    quiet: token("ink-3"),
    line: token("line"),
    float: token("surface-float"),
    strong: token("line-strong"),
    series: [1, 2, 3, 4, 5, 6].map((index) => token(`series-${index}`)),
    met: token("met-solid"),
    attention: token("attention-solid"),
    blocked: token("blocked-solid"),
    info: token("info-solid"),
    neutral: token("neutral-solid"),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return found;
}
