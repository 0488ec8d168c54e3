// A whole dashboard as one PNG, painted from what the page shows: boxes, words, icons and charts, each where it stands.
// Nothing is loaded for it but the icons, so the Content-Security-Policy stays as it is.
const MARGIN = 24;
const MOST = 8192; // pixels a side; browsers draw nothing at all on canvases that are much larger
const PATIENCE = 10_000;
const LEFT_OUT = ".visually-hidden, .chart__links, .chart__tools, .chart__data, .widget__links, button, input, select, [hidden]";
const DRAWN_BY = ["fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "opacity"];

// `charts`: the element of each chart and its ECharts instance. `title` and `lead` stand above the widgets.
export async function boardPicture(grid, charts, { title, lead }) {
  await settled(grid);
  grid.classList.add("is-pictured");
  try {
    await pause(150); // charts take the width that they have now
    const images = await imagesOf(grid);
    return await new Promise((done) => paintAll(grid, { charts, images, title, lead }).toBlob(done, "image/png"));
  } finally {
    grid.classList.remove("is-pictured");
  }
}

export function keep(blob, title) {
  const link = document.createElement("a");
  link.download = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.png`;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

// Charts that are being loaded are waited for; one that failed says so in its place.
async function settled(grid) {
  const until = Date.now() + PATIENCE;
  while (grid.querySelector("[data-chart-canvas][data-state=loading]") && Date.now() < until) {
    await pause(100);
  }
}

function paintAll(grid, { charts, images, title, lead }) {
  const box = grid.getBoundingClientRect();
  const page = getComputedStyle(document.body);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  pen.font = `400 14px ${page.fontFamily}`;
  const lines = pen.measureText(lead).width > box.width ? lead.split(" · ") : [lead];
  const head = 44 + 20 * lines.length;
  const [width, height] = [box.width + 2 * MARGIN, box.height + head + 2 * MARGIN];
  const scale = Math.min(2, MOST / width, MOST / height);
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  pen.scale(scale, scale);
  pen.fillStyle = page.backgroundColor;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = page.color;
  pen.font = `600 22px ${page.fontFamily}`;
  pen.fillText(title, MARGIN, MARGIN + 20, box.width);
  pen.font = `400 14px ${page.fontFamily}`;
  lines.forEach((line, n) => pen.fillText(line, MARGIN, MARGIN + 44 + 20 * n, box.width));
  pen.translate(MARGIN - box.left, MARGIN + head - box.top);
  for (const widget of grid.children) paint(widget, { pen, charts, images, scale });
  return canvas;
}

function paint(node, tools) {
  if (node.nodeType === Node.TEXT_NODE) paintWords(node, tools.pen);
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(LEFT_OUT)) return;
  const { pen, charts, images, scale } = tools;
  const [style, box] = [getComputedStyle(node), node.getBoundingClientRect()];
  if (style.display === "none" || style.visibility === "hidden") return;
  pen.save();
  pen.globalAlpha *= Number(style.opacity);
  paintBox(pen, style, box);
  if (node instanceof HTMLProgressElement) {
    pen.fillStyle = style.color;
    pen.fillRect(box.left, box.top, box.width * Math.max(node.position, 0), box.height);
  } else if (images.has(node)) pen.drawImage(images.get(node), box.left, box.top, box.width, box.height);
  else if (charts.has(node)) pen.drawImage(charts.get(node).renderToCanvas({ pixelRatio: scale }), box.left, box.top, box.width, box.height);
  else {
    if (style.overflowX !== "visible" && box.width && box.height) {
      pen.beginPath();
      pen.rect(box.left, box.top, box.width, box.height);
      pen.clip();
    }
    for (const child of node.childNodes) paint(child, tools);
  }
  pen.restore();
}

function paintBox(pen, style, box) {
  if (!box.width || !box.height) return;
  const radius = Number.parseFloat(style.borderTopLeftRadius) || 0;
  if (!/^(transparent|rgba\(.*, 0\))$/.test(style.backgroundColor)) {
    pen.fillStyle = style.backgroundColor;
    pen.beginPath();
    pen.roundRect(box.left, box.top, box.width, box.height, radius);
    pen.fill();
  }
  const sides = ["Top", "Right", "Bottom", "Left"].map((side) => ({
    width: style[`border${side}Style`] === "none" ? 0 : Number.parseFloat(style[`border${side}Width`]),
    colour: style[`border${side}Color`],
  }));
  if (sides.every(({ width, colour }) => width && width === sides[0].width && colour === sides[0].colour)) {
    const half = sides[0].width / 2;
    [pen.strokeStyle, pen.lineWidth] = [sides[0].colour, sides[0].width];
    pen.beginPath();
    pen.roundRect(box.left + half, box.top + half, box.width - 2 * half, box.height - 2 * half, Math.max(radius - half, 0));
    pen.stroke();
    return;
  }
  const [top, right, bottom, left] = sides;
  const strips = [
    [top, box.left, box.top, box.width, top.width],
    [right, box.right - right.width, box.top, right.width, box.height],
    [bottom, box.left, box.bottom - bottom.width, box.width, bottom.width],
    [left, box.left, box.top, left.width, box.height],
  ];
  for (const [side, ...place] of strips) {
    if (!side.width) continue;
    pen.fillStyle = side.colour;
    pen.fillRect(...place);
  }
}

// Word by word, where the browser has put each; a word that is broken over lines goes letter by letter.
function paintWords(node, pen) {
  if (!node.data.trim()) return;
  const style = getComputedStyle(node.parentElement);
  pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  const range = document.createRange();
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    if (range.getClientRects().length < 2) paintWord(pen, style, word, range.getBoundingClientRect());
    else {
      for (let n = 0; n < word.length; n++) {
        range.setStart(node, index + n);
        range.setEnd(node, index + n + 1);
        paintWord(pen, style, word[n], range.getBoundingClientRect());
      }
    }
  }
}

function paintWord(pen, style, word, box) {
  if (!box.width) return;
  const text = style.textTransform === "uppercase" ? word.toUpperCase() : word;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText(text);
  pen.fillText(text, box.left, box.top + (box.height - up - down) / 2 + up, box.width + 1);
}

// Icons and small drawings as images of their own, with the colours that they have on the page.
async function imagesOf(grid) {
  const sheets = new Map();
  const found = await Promise.all([...grid.querySelectorAll("svg")].map(async (svg) => [svg, await imageOf(svg, sheets)]));
  return new Map(found.filter(([, image]) => image));
}

async function imageOf(svg, sheets) {
  const box = svg.getBoundingClientRect();
  if (!box.width || !box.height) return null;
  const copy = svg.cloneNode(true);
  const [originals, copies] = [[svg, ...svg.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  originals.forEach((original, n) => {
    const style = getComputedStyle(original);
    for (const name of DRAWN_BY) copies[n].setAttribute(name, style.getPropertyValue(name));
  });
  for (const use of copy.querySelectorAll("use")) {
    const [sheet, id] = use.getAttribute("href").split("#");
    if (!sheets.has(sheet)) sheets.set(sheet, read(sheet));
    const symbol = (await sheets.get(sheet))?.getElementById(id);
    if (!symbol) return null;
    if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", symbol.getAttribute("viewBox"));
    use.replaceWith(...[...symbol.childNodes].map((child) => document.importNode(child, true)));
  }
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  return image.decode().then(() => image, () => null);
}

async function read(address) {
  const response = await fetch(address);
  return response.ok ? new DOMParser().parseFromString(await response.text(), "image/svg+xml") : null;
}
