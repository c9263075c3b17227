"use strict";

// Tables, code and charts that are wider than the page scroll by themselves. Such a place takes the focus, so that arrow
// keys scroll it, and has a name; one that does not scroll takes none.
const PLACES = ".table-wrapper, .highlight pre, article p:has(> img), div.math";

function nameOf(place) {
  const image = place.querySelector(":scope > img");
  if (image) return image.alt;
  let before = place;
  while (before && !/^H[1-6]$/.test(before.tagName)) before = before.previousElementSibling || before.parentElement;
  const heading = before ? before.firstChild.textContent : document.title;
  return `${place.matches("pre") ? "Code" : "Table"}: ${heading}`;
}

function reach(place) {
  if (place.scrollWidth > place.clientWidth + 1) {
    place.tabIndex = 0;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", nameOf(place));
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) place.removeAttribute(name);
  }
}

const watch = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
document.querySelectorAll(PLACES).forEach((place) => watch.observe(place));
