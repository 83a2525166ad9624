"use strict";

// The panels beside the ranking: which layers are drawn, and where the data come from.

// -- about --------------------------------------------------------------------------------------------

/** What a source brought, as livingcircle check says it; an earlier result may say nothing. */
const marks = (source) => [
  source.used && say("mark_used", whole(Number(source.used))),
  source.complete && say("mark_complete", sayOr("mark_complete_", source.complete)),
  source.datum && `${source.datum}: ${sayOr("datum_", (source.datum_answer || "not compared").replaceAll(" ", "_"))}`,
];

function drawAbout() {
  byId("panel-about").replaceChildren(
    el("h2", {}, say("standard")), el("p", {}, data.standard[language] || data.standard.zh),
    el("h2", {}, say("sources")),
    el("ul", { class: "sources" },
      ...data.sources.map((source) => el("li", {}, el("strong", {}, source.path || source.role),
        el("span", {}, [source.date, ...marks(source), source.licence, source.attribution].filter(Boolean).join(" · "))))),
    el("h2", {}, say("defaults")), el("dl", { class: "facts" }, ...data.settings.flatMap(([key, value]) => fact(sayOr("set_", key), settingText(value)))));
}

// -- layers -------------------------------------------------------------------------------------------

const tick = (text, checked, onchange, extra = null) =>
  el("label", { class: "tick-row" }, el("input", { type: "checkbox", checked, onchange }), extra, el("span", { class: "grow" }, text));

function drawLayers(state) {
  const toggled = (set, item) => { const next = new Set(set); next.has(item) ? next.delete(item) : next.add(item); return next; };
  const held = services.map((_, i) => i).filter((i) => places.of[i].length);
  const blocks = THEMES.flatMap((theme) => {
    const members = held.filter((i) => services[i].theme === theme);
    return members.length ? [el("h3", {}, say(theme || "no_theme")), ...members.map((i) => {
      const row = tick(named(services[i]), state.services.has(i), () => change({ services: toggled(state.services, i) }), swatch("dot", services[i].colour));
      row.append(el("span", { class: "count" }, whole(places.of[i].length)));
      return row;
    })] : [];
  });
  byId("panel-layers").replaceChildren(
    el("h2", {}, say("background")),
    ...PARTS.map((part) => tick(say(part), !state.hidden.has(part), () => change({ hidden: toggled(state.hidden, part) }))),
    el("h2", {}, say("facilities")),
    tick(say("follow"), state.follow, () => change({ follow: !state.follow })),
    ...blocks, el("p", { class: "quiet" }, say("doors_hint")));
}

