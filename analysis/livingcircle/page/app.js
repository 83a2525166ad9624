"use strict";

// What the page is showing now, and how it changes: controls, search, the address, printing.

// -- state --------------------------------------------------------------------------------------------

const usualType = (() => {
  const counts = new Map();
  for (const type of units.unit_type) counts.set(type, (counts.get(type) ?? 0) + 1);
  communities.forEach((i) => counts.set(units.unit_type[i], counts.get(units.unit_type[i]) + units.people[i] / 1e9));
  const types = [...counts].filter(([type]) => communities.some((i) => units.unit_type[i] === type));
  return types.reduce((best, item) => (item[1] > best[1] ? item : best), ["", -1])[0];
})();

const DEFAULTS = {
  layer: firstLayer(), measure: "share", walker: walkers[0] ?? "", gates: gatesKinds[0] ?? "", unit: CITY, language: "zh",
  services: new Set(), hidden: new Set(), follow: true, projector: false, defaults: false, legend: true,
  tab: "ranking", district: "", type: usualType, sort: "low",
};
let state = { ...DEFAULTS };

/** Takes over a change and draws what depends on it. */
function change(next) {
  const before = state;
  state = tidy({ ...state, ...next });
  language = state.language;
  const differs = (...names) => names.some((name) => state[name] !== before[name]);
  const shown = differs("layer", "measure", "walker", "gates");
  if (differs("language", "projector")) return drawAll();
  if (shown) { drawUnits(state); drawControls(); byId("notice").hidden ||= state.layer !== DEFAULTS.layer; }
  if (shown || differs("defaults", "legend")) drawLegend(state);
  if (shown || differs("unit")) drawSheet(state);
  if (differs("unit")) { drawSelection(state.unit); markRanking(state); }
  if (shown || differs("district", "type", "sort")) drawRanking(state);
  if (shown || differs("services", "follow")) drawFacilities(state);
  if (differs("hidden")) { drawBackground(state); drawNames(state); }
  if (differs("services", "follow", "hidden")) restoreFocus("panel-layers", () => drawLayers(state));
  if (differs("tab")) drawTabs();
  writeHash();
}

/** A measure that a layer does not have falls back to one it has. */
function tidy(next) {
  if (next.layer !== "score" && !entryByKey.has(next.layer)) next.layer = DEFAULTS.layer;
  const had = next.layer === "score" ? ["share"] : measuresOf(entryByKey.get(next.layer));
  if (!had.includes(next.measure)) next.measure = had[0] ?? "share";
  return next;
}

function restoreFocus(panel, draw) {
  const at = [...byId(panel).querySelectorAll("input")].indexOf(document.activeElement), scroll = byId(panel).scrollTop;
  draw();
  if (at >= 0) byId(panel).querySelectorAll("input")[at]?.focus();
  byId(panel).scrollTop = scroll;
}

/** Chooses a unit; from a list the map also goes there. */
function select(i, go) {
  change({ unit: i });
  if (go && boundsOf(i).isValid()) map.flyToBounds(boundsOf(i).pad(isCommunity(i) ? 0.6 : 0.08), { maxZoom: 16, duration: 0.5, animate: !calm() });
}
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// -- the address --------------------------------------------------------------------------------------

// The address is data from outside: a part that names nothing known is passed over.

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1)), next = {};
  const known = (name, key, test) => { if (given.has(name) && test(given.get(name))) next[key] = given.get(name); };
  known("c", "layer", (v) => v === "score" || colourable.some((entry) => entry.key === v));
  known("m", "measure", (v) => MEASURES.includes(v));
  known("w", "walker", (v) => walkers.includes(v));
  known("g", "gates", (v) => gatesKinds.includes(v));
  known("l", "language", (v) => Object.hasOwn(TEXT, v));
  if (next.measure === "gap") next.sort = "high"; // the worst comes first
  if (unitAt.has(given.get("u"))) next.unit = unitAt.get(given.get("u"));
  if (given.has("p")) next.projector = given.get("p") === "1";
  if (given.has("a")) next.follow = given.get("a") === "1";
  if (given.has("s")) next.services = new Set(given.get("s").split(",").map((id) => serviceAt.get(id)).filter((i) => i !== undefined));
  const view = (given.get("v") ?? "").split("/").map(Number);
  const seen = view.length === 3 && view.every(Number.isFinite) && Math.abs(view[1]) <= 85 && Math.abs(view[2]) <= 180;
  return { next, view: seen ? view : null };
}

function writeHash() {
  if (location.protocol === "about:") return; // inside a notebook there is no address
  const parts = { c: state.layer, m: state.measure, u: unitKeyOf(state.unit), l: state.language };
  if (walkers.length > 1) parts.w = state.walker;
  if (gatesKinds.length > 1) parts.g = state.gates;
  if (state.projector) parts.p = "1";
  if (!state.follow) parts.a = "0";
  if (state.services.size) parts.s = [...state.services].map((i) => services[i].id).join(",");
  const centre = map.getCenter();
  parts.v = [map.getZoom(), centre.lat.toFixed(5), centre.lng.toFixed(5)].join("/");
  window.history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
}
const unitKeyOf = (i) => (i < 0 ? "" : unitKey(i));

function applyHash() {
  const { next, view } = readHash();
  change(next);
  if (view) map.setView([view[1], view[2]], Math.min(19, Math.max(7, view[0])), { animate: false });
  else if (next.unit !== undefined && next.unit !== CITY) map.fitBounds(boundsOf(next.unit).pad(0.6), { maxZoom: 16, animate: false });
}

// -- controls -----------------------------------------------------------------------------------------

function drawControls() {
  const group = (label, list) => { const box = el("optgroup", { label }); box.append(...list.map((entry) => option(entry.key, entryName(entry)))); return list.length ? [box] : []; };
  fillSelect(byId("layer"), [...(anyScore ? [option("score", say("score"))] : []),
    ...THEMES.flatMap((theme) => group(say(theme || "no_theme"), colourable.filter((entry) => entry.rule.theme === theme)))], state.layer);
  const had = state.layer === "score" ? [] : measuresOf(entryByKey.get(state.layer));
  byId("measures").hidden = had.length < 2;
  byId("measures").replaceChildren(...had.map((measure) => el("button", { type: "button", "data-measure": measure, "aria-pressed": String(measure === state.measure), onclick: () => { change({ measure, sort: measure === "gap" ? "high" : "low" }); byId("sort").value = state.sort; byId("measures").querySelector(`[data-measure="${measure}"]`).focus(); } }, say(measure))));
  byId("walker-box").hidden = walkers.length < 2;
  fillSelect(byId("walker"), walkers.map((walker) => option(walker, walkerText(walker))), state.walker);
  byId("gates-box").hidden = gatesKinds.length < 2;
  fillSelect(byId("gates"), gatesKinds.map((gates) => option(gates, sayOr("", gates))), state.gates);
  const districts = distinct(units.district), types = [...new Set(communities.map((i) => units.unit_type[i]))];
  fillSelect(byId("filter-district"), [option("", say("all_districts")), ...districts.map((district) => option(district, district))], state.district);
  byId("filter-district").hidden = districts.length < 2;
  fillSelect(byId("filter-type"), types.map((type) => option(type, type ? sayOr("", type) : say("untyped"))), state.type);
  byId("filter-type").hidden = types.length < 2;
  fillSelect(byId("sort"), [["low", "low_first"], ["high", "high_first"], ["missing", "most_missing"], ["people", "by_people"], ["name", "by_name"]].map(([value, key]) => option(value, say(key))), state.sort);
}

function drawTabs() {
  for (const panel of ["ranking", "layers", "about"]) {
    const open = panel === state.tab;
    byId(`tab-${panel}`).setAttribute("aria-selected", String(open));
    byId(`tab-${panel}`).tabIndex = open ? 0 : -1;
    byId(`panel-${panel}`).hidden = !open;
  }
}

function drawWords() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.documentElement.classList.toggle("projector", state.projector);
  for (const item of document.querySelectorAll("[data-text]")) item.textContent = say(item.dataset.text);
  for (const item of document.querySelectorAll("[data-label]")) item.setAttribute("aria-label", say(item.dataset.label));
  byId("title").textContent = data.title || say("page");
  byId("subtitle").textContent = [data.title ? say("page") : "", data.standard[language] || data.standard.zh].filter(Boolean).join(" · ");
  byId("search-box").placeholder = say("search");
  byId("language").textContent = say("other_language");
  byId("language").setAttribute("aria-label", say("other_language_label"));
  byId("projector").setAttribute("aria-pressed", String(state.projector));
  byId("approval").textContent = data.approval ? say("approval", data.approval) : say("internal");
  byId("dated").textContent = data.data_date ? `${say("data_date")} ${data.data_date}` : "";
  byId("notice").hidden = anyScore || state.layer !== DEFAULTS.layer;
  if (!anyScore && entryByKey.has(DEFAULTS.layer)) byId("notice").textContent = say("no_scores", entryName(entryByKey.get(DEFAULTS.layer)));
  zoomControl._zoomInButton.title = say("zoom_in");
  zoomControl._zoomInButton.setAttribute("aria-label", say("zoom_in"));
  zoomControl._zoomOutButton.title = say("zoom_out");
  zoomControl._zoomOutButton.setAttribute("aria-label", say("zoom_out"));
}

function drawAll() {
  drawWords();
  map.invalidateSize({ animate: false });
  drawControls(); drawTabs(); drawUnits(state); drawLegend(state); drawSheet(state); drawRanking(state); drawLayers(state); drawAbout();
  drawSelection(state.unit); drawView();
}

/** What depends on the part of the map in view. */
function drawView() {
  drawBackground(state);
  drawFacilities(state);
  drawNames(state);
  writeHash();
}

// -- search -------------------------------------------------------------------------------------------

function search(text) {
  const wanted = text.trim().toLowerCase(), list = byId("search-results");
  const found = wanted ? units.id.map((_, i) => i).filter((i) => unitName(i).toLowerCase().includes(wanted) || units.id[i].toLowerCase() === wanted) : [];
  found.sort((a, b) => unitName(b).toLowerCase().startsWith(wanted) - unitName(a).toLowerCase().startsWith(wanted) || a - b);
  list.hidden = !wanted;
  list.replaceChildren(...found.slice(0, 12).map((i) => el("li", {},
    el("button", { type: "button", onclick: () => { closeSearch(); select(i, true); byId("sheet").focus(); } },
      el("strong", {}, unitName(i)), el("small", {}, above(i).filter((u) => u !== CITY).map(unitName).join(" · ") || levelName(units.level[i]))))));
  if (wanted && !found.length) list.append(el("li", { class: "quiet" }, say("nothing_found")));
}

function closeSearch() {
  byId("search-results").hidden = true;
  byId("search-box").value = "";
}

function listenToSearch() {
  const box = byId("search-box"), results = byId("search-results");
  box.addEventListener("input", () => search(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); results.querySelector("button")?.focus(); }
    if (event.key === "Enter") results.querySelector("button")?.click();
  });
  byId("search-results").parentElement.addEventListener("keydown", (event) => { if (event.key === "Escape") { closeSearch(); box.focus(); } });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) results.hidden = true; });
  arrowKeys(results);
}

// -- listening ----------------------------------------------------------------------------------------

function listenToControls() {
  for (const [id, key] of [["layer", "layer"], ["walker", "walker"], ["gates", "gates"], ["filter-district", "district"], ["filter-type", "type"], ["sort", "sort"]]) {
    byId(id).addEventListener("change", (event) => change({ [key]: event.target.value }));
  }
  byId("language").addEventListener("click", () => change({ language: state.language === "zh" ? "en" : "zh" }));
  byId("projector").addEventListener("click", () => change({ projector: !state.projector }));
  byId("print").addEventListener("click", () => window.print());
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("sheet").focus(); });
  const tabs = ["ranking", "layers", "about"];
  tabs.forEach((tab, k) => {
    byId(`tab-${tab}`).addEventListener("click", () => change({ tab }));
    byId(`tab-${tab}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const to = tabs[(k + step + tabs.length) % tabs.length];
      change({ tab: to });
      byId(`tab-${to}`).focus();
    });
  });
  arrowKeys(byId("ranking"));
}

function listenToMap() {
  const tell = (layer) => {
    const i = layer.options.unit, { value, sign } = shownValue(i, state);
    return el("div", {}, el("strong", {}, unitName(i)), el("span", {}, valueText(value, sign, state)));
  };
  unitLayer.bindTooltip(tell, { sticky: true, direction: "top", offset: [0, -8], className: "hint" });
  map.on("click", (event) => {
    const place = facilityAt(event.latlng);
    if (place >= 0) L.popup({ offset: [0, -4], autoPanPadding: [24, 24] }).setLatLng(placePoints[place]).setContent(facilityCard(place)).openOn(map);
    else if (event.unit !== undefined) select(event.unit, false);
  });
  unitLayer.on("click", (event) => {
    L.DomEvent.stopPropagation(event);
    map.fire("click", { latlng: event.latlng, unit: event.layer.options.unit });
  });
  map.on("moveend", drawView);
}

// -- printing -----------------------------------------------------------------------------------------

let seenOnScreen = null;

/** For paper the map takes the size of the sheet while it keeps what it shows. */
function preparePrint() {
  if (seenOnScreen) return;
  const view = map.getBounds();
  seenOnScreen = { centre: map.getCenter(), zoom: map.getZoom() };
  map.options.zoomSnap = 0; // fills the sheet
  document.documentElement.classList.add("printing");
  map.invalidateSize({ animate: false, pan: false });
  map.fitBounds(view.contains(cityBounds) ? cityBounds.pad(0.02) : view, { animate: false });
  drawPaper();
}

/** Draws all layers once more on a single canvas: browsers print a canvas drawn just now as sharp lines, but opaque. */
function drawPaper() {
  const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
  const paper = el("canvas", { class: "paper", width: 2 * size.x, height: 2 * size.y }), pen = paper.getContext("2d");
  paper.style.width = `${size.x}px`;
  paper.style.height = `${size.y}px`;
  L.DomUtil.setPosition(paper, corner);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.scale(2, 2);
  pen.translate(-corner.x, -corner.y);
  for (const renderer of [canvas.ground, unitCanvas, canvas.lines, canvas.marks].filter((r) => r._map)) {
    const screen = renderer._ctx;
    renderer._ctx = pen;
    renderer._redrawBounds = null;
    renderer._draw();
    renderer._ctx = screen;
  }
  map.getPane("ground").append(paper);
}

function afterPrint() {
  if (!seenOnScreen) return;
  document.querySelector(".paper")?.remove();
  map.options.zoomSnap = ZOOM_SNAP;
  document.documentElement.classList.remove("printing");
  map.invalidateSize({ animate: false, pan: false });
  map.setView(seenOnScreen.centre, seenOnScreen.zoom, { animate: false });
  seenOnScreen = null;
}

window.addEventListener("beforeprint", preparePrint);
window.addEventListener("afterprint", afterPrint);
window.addEventListener("hashchange", applyHash);

// -- start --------------------------------------------------------------------------------------------

drawLegend(state); // its width is kept free where the map is wide enough
const room = map.getSize().x > 900 ? byId("legend").offsetWidth : 0;
map.fitBounds(cityBounds.pad(0.03), { animate: false, paddingTopLeft: [room, 0] });
{
  const { next, view } = readHash();
  state = tidy({ ...state, ...next });
  language = state.language;
  drawAll();
  if (view) map.setView([view[1], view[2]], Math.min(19, Math.max(7, view[0])), { animate: false });
  else if (next.unit !== undefined && next.unit !== CITY) map.fitBounds(boundsOf(next.unit).pad(0.6), { maxZoom: 16, animate: false });
}
listenToControls();
listenToSearch();
listenToMap();
drawView();

window.map_livingcircle = map; // the name under which folium's own elements find the map
document.documentElement.dataset.ready = "true";
