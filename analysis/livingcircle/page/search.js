"use strict";

// Search by name: communities, subdistricts, districts, estates and facilities.

const FOUND_AT_ONCE = 9;

/** Full-width and half-width letters, capitals and spaces make no difference. */
const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");

/** Everything that has a name, made when first searched: name, where it is, and what choosing it does. */
const searchable = (() => {
  let list = null;
  return () => {
    list ??= [
      ...units.id.map((id, i) => ({ kind: "unit", i, name: plain(unitName(i)), id: plain(id) })),
      ...places.name.map((name, i) => ({ kind: "place", i, name: plain(name) })).filter(({ i, name }) => name && places.service[i] >= 0),
    ];
    return list;
  };
})();

function find(text) {
  const wanted = plain(text);
  if (!wanted) return [];
  const found = searchable().filter(({ name, id }) => name.includes(wanted) || id === wanted);
  const rank = (item) => 2 * (item.kind === "place") + !item.name.startsWith(wanted);
  return found.sort((a, b) => rank(a) - rank(b) || a.i - b.i);
}

/** Units and facilities share the list, so that neither hides the other. */
function shortened(found) {
  const unitsFound = found.filter((item) => item.kind === "unit"), placesFound = found.filter((item) => item.kind === "place");
  const room = Math.max(FOUND_AT_ONCE - placesFound.length, Math.ceil(FOUND_AT_ONCE / 2));
  const kept = unitsFound.slice(0, room);
  return [...kept, ...placesFound.slice(0, FOUND_AT_ONCE - kept.length)];
}

function foundRow({ kind, i }) {
  const place = kind === "place";
  const what = place ? named(services[places.service[i]]) : above(i).filter((u) => u !== CITY).map(unitName).join(" · ") || levelName(units.level[i]);
  const choose = () => { closeSearch(); place ? selectPlace(i) : select(i, true); byId("sheet").focus(); };
  const mark = place ? swatch("dot", services[places.service[i]].colour) : null;
  return el("li", {}, el("button", { type: "button", onclick: choose }, el("strong", {}, mark, place ? placeName(i) : unitName(i)), el("small", {}, what)));
}

function search(text) {
  const list = byId("search-results"), wanted = plain(text), found = find(text), shown = shortened(found);
  list.hidden = !wanted;
  byId("search-box").setAttribute("aria-expanded", String(!!wanted));
  list.replaceChildren(...shown.map(foundRow));
  if (wanted && !found.length) list.append(el("li", { class: "quiet" }, say("nothing_found")));
  if (found.length > shown.length) list.append(el("li", { class: "quiet" }, say("more_found", whole(found.length - shown.length))));
  byId("search-said").textContent = wanted ? say("found", whole(found.length)) : "";
}

function closeSearch() {
  byId("search-results").hidden = true;
  byId("search-box").value = "";
  byId("search-box").setAttribute("aria-expanded", "false");
}

function listenToSearch() {
  const box = byId("search-box"), results = byId("search-results");
  box.addEventListener("input", () => search(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); results.querySelector("button")?.focus(); }
    if (event.key === "Enter" && !event.isComposing) results.querySelector("button")?.click();
  });
  box.parentElement.addEventListener("keydown", (event) => { if (event.key === "Escape") { closeSearch(); box.focus(); } });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) results.hidden = true; });
  arrowKeys(results);
}
