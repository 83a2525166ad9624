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
      ...data.estates.name.map((name, i) => ({ kind: "estate", i, name: plain(name) })),
      ...places.name.map((name, i) => ({ kind: "place", i, name: plain(name) })).filter(({ i, name }) => name && places.service[i] >= 0),
    ];
    return list;
  };
})();

function find(text) {
  const wanted = plain(text);
  if (!wanted) return [];
  const found = searchable().filter(({ name, id }) => name.includes(wanted) || id === wanted);
  const rank = (item) => 2 * ["unit", "estate", "place"].indexOf(item.kind) + !item.name.startsWith(wanted);
  return found.sort((a, b) => rank(a) - rank(b) || a.i - b.i);
}

/** Units, estates and facilities share the list, so that none hides the others. */
function shortened(found) {
  const kinds = ["unit", "estate", "place"].map((kind) => found.filter((item) => item.kind === kind));
  const fair = Math.floor(FOUND_AT_ONCE / kinds.filter((list) => list.length).length);
  const first = kinds.flatMap((list) => list.slice(0, fair));
  const more = found.filter((item) => !first.includes(item)).slice(0, FOUND_AT_ONCE - first.length);
  return found.filter((item) => first.includes(item) || more.includes(item));
}

const estateXY = geo.points(data.estates.xy);

/** An estate is found as the community in which it lies. */
function selectEstate(i) {
  const at = geo.latlng(estateXY[2 * i], estateXY[2 * i + 1]), unit = communityAt(at);
  if (unit >= 0) change({ unit, place: -1 });
  map.setView(at, 16, { animate: false });
  writeHash();
}

/** What stands beside a name, and what choosing it does. */
function foundAs({ kind, i }) {
  if (kind === "place") return { name: placeName(i), what: named(services[places.service[i]]), go: () => selectPlace(i), mark: swatch("dot", services[places.service[i]].colour) };
  if (kind === "estate") return { name: data.estates.name[i], what: say("estate"), go: () => selectEstate(i), mark: null };
  const holders = above(i).filter((u) => u !== CITY).map(unitName).join(" · ");
  return { name: unitName(i), what: holders || levelName(units.level[i]), go: () => select(i, true), mark: null };
}

function foundRow(item) {
  const { name, what, go, mark } = foundAs(item);
  const choose = () => {
    closeSearch();
    go();
    byId("sheet").focus({ preventScroll: true });
    // On a phone the parts stand below each other: a facility is seen on the map, a unit at the head of its sheet.
    if (document.documentElement.scrollHeight > innerHeight) byId(state.place >= 0 ? "map" : "sheet").scrollIntoView({ block: state.place >= 0 ? "nearest" : "start" });
  };
  return el("li", {}, el("button", { type: "button", onclick: choose }, el("strong", {}, mark, name), el("small", {}, what)));
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
