"use strict";

// How what the page shows changes: controls, clicks, keys, the address.

/** Takes over a change and draws what depends on it. */
function change(next) {
  const before = state;
  state = tidy({ ...state, ...next });
  language = state.language;
  const differs = (...names) => names.some((name) => state[name] !== before[name]);
  const shown = differs("layer", "measure", "walker", "gates");
  if (differs("language", "projector")) return drawAll();
  if (shown || differs("people", "circle", "district", "type", "sort")) drawControls();
  if (shown) byId("notice").hidden ||= state.layer !== DEFAULTS.layer;
  if (shown || differs("defaults", "legend", "people", "circle", "unit", "place", "services", "follow")) drawLegend(state);
  if (shown || differs("unit", "circle")) drawSheet(state);
  if (differs("unit")) markRanking(state);
  if (shown || differs("district", "type", "sort")) drawRanking(state);
  if (differs("services", "follow", "hidden")) restoreFocus("panel-layers", () => drawLayers(state));
  if (differs("tab")) drawTabs();
  if (differs("scene")) { drawWords(); drawScenes(state); }
  if (differs("place", "circle") || (shown && state.place >= 0)) drawPlace();
  if (differs("legend", "scene")) map.invalidateSize({ animate: false, pan: false });
  repaint();
  writeHash();
}

function restoreFocus(panel, draw) {
  const at = [...byId(panel).querySelectorAll("input")].indexOf(document.activeElement), scroll = byId(panel).scrollTop;
  draw();
  if (at >= 0) byId(panel).querySelectorAll("input")[at]?.focus();
  byId(panel).scrollTop = scroll;
}

// -- choosing -----------------------------------------------------------------------------------------

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Chooses a unit; from a list the map also goes there. */
function select(i, go) {
  change({ unit: i, place: -1 });
  if (go && boundsOf(i).isValid()) map.flyToBounds(boundsOf(i).pad(isCommunity(i) ? 0.6 : 0.08), { maxZoom: 16, duration: 0.5, animate: !calm() });
}

/** Chooses a facility and the community it lies in. */
function selectPlace(i) {
  const unit = communityAt(placeLatLng(i));
  map.setView(placeLatLng(i), Math.max(16, map.getZoom()), { animate: false });
  change({ place: i, ...(unit >= 0 ? { unit } : {}) });
}

const card = L.popup({ offset: [0, -4], autoPanPadding: [24, 24], closeButton: true });

/** The card stands above the circle of its facility where that is in view, so that it does not lie on it. */
function cardAt(i) {
  const circle = state.circle ? circleTo(i, state) : null, box = circle?.shape.box;
  const top = box && geo.latlng((box[0] + box[2]) / 2, box[1]);
  return top && map.getBounds().contains(top) ? top : placeLatLng(i);
}

function drawPlace() {
  if (state.place < 0) { card.remove(); return; }
  card.setLatLng(cardAt(state.place)).setContent(facilityCard(state.place, state)).openOn(map);
}

/** Fills the map with a part of the city, whatever the steps of the zoom buttons. */
function fit(bounds, options = {}) {
  const bar = state.scene >= 0 && !state.picture ? byId("scene-bar").offsetHeight + 12 : 0; // it lies over the map
  map.invalidateSize({ animate: false, pan: false }); // the legend may have grown
  map.options.zoomSnap = 0;
  map.fitBounds(bounds, { animate: false, paddingTopLeft: [0, bar], ...options });
  map.options.zoomSnap = ZOOM_SNAP;
}

/** Moves the map to a view of an address, to its unit, or to the whole city. */
function goTo(view, next, whole) {
  if (view) map.setView([view[1], view[2]], Math.min(19, Math.max(7, view[0])), { animate: false });
  else if (next.place >= 0) {
    const circle = circleTo(next.place, state);
    if (circle) fit(toBounds(circle.shape.box).pad(0.08), { maxZoom: 16, paddingTopLeft: [0, Math.min(225, 0.45 * map.getSize().y)] }); // room for its card
    else map.setView(placeLatLng(next.place), 16, { animate: false });
  }
  else if (next.unit !== undefined && next.unit !== CITY) {
    const bands = state.circle ? circlesOf(next.unit, state.walker) : [];
    const bounds = bands.length ? boundsOf(next.unit).extend(toBounds(bands.at(-1).shape.box)).pad(0.08) : boundsOf(next.unit).pad(0.6);
    fit(bounds, { maxZoom: 16 });
  } else if (whole) fit(cityBounds.pad(0.03));
}

function applyHash() {
  const { next, view } = readAddress(location.hash.slice(1));
  change(next);
  goTo(view, next, false);
}

// -- controls -----------------------------------------------------------------------------------------

function layerOptions() {
  const group = (label, list) => {
    const box = el("optgroup", { label });
    box.append(...list.map((entry) => option(entry.key, entryName(entry))));
    return list.length ? [box] : [];
  };
  return [
    ...(anyScore ? [option("score", say("score"))] : []),
    ...THEMES.flatMap((theme) => group(say(theme || "no_theme"), colourable.filter((entry) => entry.rule.theme === theme))),
  ];
}

function measureButton(measure) {
  const choose = () => {
    change({ measure, sort: measure === "gap" ? "high" : "low" });
    byId("measures").querySelector(`[data-measure="${measure}"]`).focus();
  };
  return el("button", { type: "button", "data-measure": measure, "aria-pressed": String(measure === state.measure), title: say(`${measure}_long`), onclick: choose }, say(measure));
}

function drawSwitches() {
  byId("people").hidden = !drawsPeople(state);
  byId("people").textContent = state.layer === "score" ? say("people_switch") : say(ofItsOwn(entryByKey.get(state.layer).rule, "people_switch"));
  byId("people").setAttribute("aria-pressed", String(state.people));
  byId("circle").hidden = !data.circles && !data.facilities.id.length;
  byId("circle").setAttribute("aria-pressed", String(state.circle));
}

function drawControls() {
  fillSelect(byId("layer"), layerOptions(), state.layer);
  const had = state.layer === "score" ? [] : measuresOf(entryByKey.get(state.layer));
  byId("measures").hidden = had.length < 2;
  byId("measures").replaceChildren(...had.map(measureButton));
  byId("walker-box").hidden = walkers.length < 2;
  fillSelect(byId("walker"), walkers.map((walker) => option(walker, walkerText(walker))), state.walker);
  byId("gates-box").hidden = gatesKinds.length < 2;
  fillSelect(byId("gates"), gatesKinds.map((gates) => option(gates, sayOr("", gates))), state.gates);
  const districts = distinct(units.district), types = [...new Set(communities.map((i) => units.unit_type[i]))];
  fillSelect(byId("filter-district"), [option("", say("all_districts")), ...districts.map((district) => option(district, district))], state.district);
  byId("filter-district").hidden = districts.length < 2;
  fillSelect(byId("filter-type"), types.map((type) => option(type, type ? sayOr("", type) : say("untyped"))), state.type);
  byId("filter-type").hidden = types.length < 2;
  fillSelect(byId("sort"), Object.entries(SORTS).map(([value, key]) => option(value, say(key))), state.sort);
  drawSwitches();
}

function drawTabs() {
  for (const panel of TABS) {
    const open = panel === state.tab;
    byId(`tab-${panel}`).setAttribute("aria-selected", String(open));
    byId(`tab-${panel}`).tabIndex = open ? 0 : -1;
    byId(`panel-${panel}`).hidden = !open;
  }
}

function drawWords() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.documentElement.classList.toggle("projector", state.projector);
  document.documentElement.classList.toggle("picture", state.picture);
  for (const item of document.querySelectorAll("[data-text]")) item.textContent = say(item.dataset.text);
  for (const item of document.querySelectorAll("[data-label]")) item.setAttribute("aria-label", say(item.dataset.label));
  byId("title").textContent = data.title || say("page");
  byId("subtitle").textContent = [state.scene < 0 ? "" : sceneTitle(state.scene), data.title ? say("page") : "", data.standard[language] || data.standard.zh].filter(Boolean).join(" · ");
  byId("search-box").placeholder = say("search");
  byId("language").textContent = say("other_language");
  byId("language").setAttribute("aria-label", say("other_language_label"));
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  byId("projector").setAttribute("aria-pressed", String(state.projector));
  byId("approval").textContent = data.approval ? say("approval", data.approval) : say("internal");
  byId("dated").textContent = data.data_date ? `${say("data_date")} ${data.data_date}` : "";
  byId("no-survey").textContent = language === "zh" ? data.not_a_survey : say("no_survey");
  byId("notice").hidden = anyScore || state.layer !== DEFAULTS.layer || state.scene >= 0;
  if (!anyScore && entryByKey.has(DEFAULTS.layer)) byId("notice").textContent = say("no_scores", entryName(entryByKey.get(DEFAULTS.layer)));
  for (const [button, word] of [[zoomControl._zoomInButton, "zoom_in"], [zoomControl._zoomOutButton, "zoom_out"]]) {
    button.title = say(word);
    button.setAttribute("aria-label", say(word));
  }
}

function drawAll() {
  drawWords();
  drawControls();
  drawTabs();
  drawScenes(state);
  drawLegend(state);
  drawSheet(state);
  drawRanking(state);
  drawLayers(state);
  drawAbout();
  drawPlace();
  map.invalidateSize({ animate: false, pan: false });
  repaint();
  writeHash();
}

// -- listening ----------------------------------------------------------------------------------------

function listenToControls() {
  for (const [id, key] of [["layer", "layer"], ["walker", "walker"], ["gates", "gates"], ["filter-district", "district"], ["filter-type", "type"], ["sort", "sort"]]) {
    byId(id).addEventListener("change", (event) => change({ [key]: event.target.value }));
  }
  for (const key of ["people", "circle", "projector"]) byId(key).addEventListener("click", () => change({ [key]: !state[key] }));
  byId("language").addEventListener("click", () => change({ language: state.language === "zh" ? "en" : "zh" }));
  byId("print").addEventListener("click", () => window.print());
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("sheet").focus(); });
  arrowKeys(byId("ranking"));
}

function listenToTabs() {
  TABS.forEach((tab, k) => {
    byId(`tab-${tab}`).addEventListener("click", () => change({ tab }));
    byId(`tab-${tab}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const to = TABS[(k + step + TABS.length) % TABS.length];
      change({ tab: to });
      byId(`tab-${to}`).focus();
    });
  });
}

function hintOf(i) {
  const { value, sign } = shownValue(i, state), people = peopleOf(i, state);
  const left = people && Math.round(people.left + people.falsely);
  return el("div", {}, el("strong", {}, unitName(i)), el("span", {}, valueText(value, sign, state)),
    people ? el("small", {}, say(ofItsOwn(entryByKey.get(state.layer).rule, sign === "i" ? "uncovered_least" : "uncovered"), whole(left))) : null);
}

function listenToMap() {
  const hint = L.tooltip({ direction: "top", offset: [0, -8], className: "hint" });
  map.on("mousemove", (event) => {
    const place = facilityAt(event.latlng, state), i = place >= 0 ? -1 : communityAt(event.latlng);
    map.getContainer().classList.toggle("over", place >= 0 || i >= 0);
    if (i >= 0) hint.setContent(hintOf(i)).setLatLng(event.latlng).openOn(map);
    else if (place >= 0) hint.setContent(el("strong", {}, placeName(place))).setLatLng(event.latlng).openOn(map);
    else hint.remove();
  });
  map.on("mouseout", () => hint.remove());
  map.on("click", (event) => {
    const place = facilityAt(event.latlng, state), i = communityAt(event.latlng);
    if (place >= 0) change({ place, ...(i >= 0 ? { unit: i } : {}) });
    else if (i >= 0) select(i, false);
  });
  map.on("popupclose", () => { if (state.place >= 0) change({ place: -1 }); });
  map.on("moveend", writeHash);
}

// -- start --------------------------------------------------------------------------------------------

{
  const { next, view } = readAddress(location.hash.slice(1));
  state = tidy({ ...state, ...next });
  language = state.language;
  drawWords(); // head, legend and stage take their room before the map is fitted into what is left
  drawScenes(state);
  drawLegend(state);
  map.getContainer().getBoundingClientRect();
  fit(cityBounds.pad(0.03));
  painter.addTo(map);
  drawAll();
  goTo(view, next, false);
  drawPlace();
}
listenToControls();
listenToTabs();
listenToSearch();
listenToScenes();
listenToMap();
writeHash();
window.addEventListener("hashchange", applyHash);
if (state.picture) preparePaper();
else painter.repaint();

window.map_livingcircle = map; // the name under which folium's own elements find the map
document.documentElement.dataset.ready = "true";
