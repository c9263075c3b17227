"use strict";

const root = document.documentElement;
const toggle = document.getElementById("theme");
const system = window.matchMedia("(prefers-color-scheme: dark)");
let theme = system.matches ? "dark" : "light";

// What is large stands in the page as base64 of gzip.
async function unpacked(name) {
  const text = document.querySelector(`script[data-name="${CSS.escape(name)}"]`).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

async function unpackLibrary() {
  const script = document.createElement("script");
  script.textContent = await (await unpacked("library")).text();
  document.head.append(script);
}

// Charts' data come by column; what repeats is told once.
async function unpackRows() {
  for (const [kind, { size, columns }] of Object.entries(await (await unpacked("rows")).json())) {
    const fields = Object.entries(columns);
    const value = (column, row) => (column.values ? column.values[row] : column.known[column.at[row]]);
    SPECS[kind].datasets = { rows: Array.from({ length: size }, (_, row) =>
      Object.fromEntries(fields.map(([field, column]) => [field, value(column, row)]))) };
  }
}

async function unpackTables() {
  for (const place of document.querySelectorAll("div.packed")) {
    place.innerHTML = await (await unpacked(place.dataset.packed)).text();
  }
}

async function unpackFiles() {
  for (const link of document.querySelectorAll("a[data-packed]")) {
    const file = await (await unpacked(link.dataset.packed)).blob();
    link.href = URL.createObjectURL(new Blob([file], { type: "text/csv" }));
  }
}

function draw() {
  const done = [];
  for (const place of document.querySelectorAll(".chart")) {
    const columns = Math.max(1, Math.floor(place.clientWidth / 240));
    const legend = Object.assign({}, THEMES[theme].legend, { columns });
    const config = Object.assign({}, THEMES[theme], { legend });
    const spec = Object.assign({}, SPECS[place.dataset.kind], { config });
    const actions = { export: true, source: false, compiled: false, editor: false };
    done.push(window.vegaEmbed(place, spec, { actions, renderer: "svg", tooltip: { theme } }).then(() => {
      place.querySelector("summary").setAttribute("aria-label", "Save this chart");
    }));
  }
  return Promise.all(done);
}

function show(wanted) {
  theme = wanted;
  root.dataset.theme = theme;
  toggle.textContent = theme === "dark" ? "Switch to light" : "Switch to dark";
  return draw();
}

toggle.addEventListener("click", () => show(theme === "dark" ? "light" : "dark"));
system.addEventListener("change", () => show(system.matches ? "dark" : "light"));
window.addEventListener("beforeprint", () => { root.dataset.theme = "light"; });
window.addEventListener("afterprint", () => { root.dataset.theme = theme; });

const UNITS = {
  k: 1e3, M: 1e6, G: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30,
  ns: 1e-9, "µs": 1e-6, us: 1e-6, ms: 1e-3, min: 60, h: 3600,
};

// Figures such as "3.41 ± 0.02", "4 000 000", "3.1M", "517 KiB" or "∞" are sorted by their number, others as words.
function key(cell) {
  const text = cell.textContent.trim();
  if (text === "∞") return Infinity;
  const plain = text.replace(/[\u202f\u00a0](?=\d)/g, "");
  const found = plain.match(/^([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s?([a-zµ]*)/i);
  return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : text;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number") return -1;
  if (typeof other === "number") return 1;
  return one.localeCompare(other);
}

function enliven(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const descending = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((each) => each.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column]), row]);
    rows.sort((one, other) => (descending ? -1 : 1) * compare(one[0], other[0]));
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
  }));
  const input = table.closest(".table").querySelector(".filter input");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of table.tBodies[0].rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}

async function main() {
  if (!("DecompressionStream" in window)) {
    document.getElementById("alas").hidden = false;
    document.querySelectorAll("table").forEach(enliven);
    return false;
  }
  await unpackTables();
  document.querySelectorAll("table").forEach(enliven);
  if (document.querySelector(".chart")) await Promise.all([unpackLibrary(), unpackRows()]);
  await show(theme);
  await unpackFiles();
  return true;
}

window.drawn = main();
