"use strict";

// The list of communities beside the map.

const RANKED_AT_ONCE = 200;

/** The communities that may be compared: same type, same list of services, and a value. */
function ranked(state) {
  const rows = communities
    .filter((i) => units.unit_type[i] === state.type && (!state.district || units.district[i] === state.district))
    .map((i) => ({ i, ...shownValue(i, state) }));
  const lists = new Map();
  for (const row of rows) if (row.value !== null) lists.set(units.n_scored[row.i], (lists.get(units.n_scored[row.i]) ?? 0) + 1);
  const usual = [...lists].reduce((best, item) => (item[1] > best[1] ? item : best), [null, 0])[0];
  const comparable = (row) => row.value !== null && !"nads".includes(row.sign) && (state.layer !== "score" || units.n_scored[row.i] === usual);
  const kept = rows.filter(comparable).sort((a, b) => b.value - a.value || a.i - b.i);
  kept.forEach((row, k) => { row.rank = k && kept[k - 1].value === row.value ? kept[k - 1].rank : k + 1; });
  return { rows: kept, out: rows.length - kept.length };
}

function sorted(rows, state) {
  const missing = (row) => (state.layer === "score" ? units.people[row.i] * (1 - row.value) : uncovered(chosen(entryByKey.get(state.layer), state), row.i) ?? 0);
  const orders = {
    low: (a, b) => a.value - b.value, high: (a, b) => b.value - a.value, missing: (a, b) => missing(b) - missing(a),
    people: (a, b) => units.people[b.i] - units.people[a.i], name: (a, b) => units.name[a.i].localeCompare(units.name[b.i], "zh-CN"),
  };
  return [...rows].sort((a, b) => orders[state.sort](a, b) || a.i - b.i);
}

function rankingRow(row, state) {
  const colour = palette(state.measure)[classOf(row.value, state.measure)];
  return el("li", {},
    el("button", { type: "button", tabindex: "-1", "data-unit": row.i, "aria-current": state.unit === row.i ? "true" : null, onclick: () => select(row.i, true) },
      el("span", { class: "rank" }, String(row.rank)),
      el("span", { class: "who" }, el("strong", {}, unitName(row.i)), el("small", {}, units.subdistrict[row.i])),
      bar(row.value, { colour, least: row.sign === "i" }),
      el("span", { class: "value" }, valueText(row.value, row.sign, state))));
}

function drawRanking(state, limit = RANKED_AT_ONCE) {
  const { rows, out } = ranked(state), list = byId("ranking");
  const inOrder = sorted(rows, state);
  list.replaceChildren(...inOrder.slice(0, limit).map((row) => rankingRow(row, state)));
  if (inOrder.length > limit) {
    const next = Math.min(RANKED_AT_ONCE, inOrder.length - limit);
    list.append(el("li", {}, el("button", { type: "button", class: "link", tabindex: "-1", onclick: () => drawRanking(state, limit + next) }, say("more", whole(next)))));
  }
  if (!inOrder.length) list.append(el("li", { class: "quiet" }, say("no_ranking")));
  const first = list.querySelector("[aria-current]") ?? list.querySelector("button");
  if (first) first.tabIndex = 0;
  byId("unranked").textContent = out ? say("unranked", whole(out)) : "";
}

/** Scrolls a panel, and only the panel, so that something in it is seen: on a phone the page stays at the map. */
function showWithin(panel, item) {
  const outer = panel.getBoundingClientRect(), inner = item.getBoundingClientRect();
  if (inner.top < outer.top) panel.scrollTop += inner.top - outer.top;
  else if (inner.bottom > outer.bottom) panel.scrollTop += inner.bottom - outer.bottom;
}

/** Marks the chosen unit in the list without drawing the list again. */
function markRanking(state) {
  for (const button of byId("ranking").querySelectorAll("[data-unit]")) {
    const here = Number(button.dataset.unit) === state.unit;
    here ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    if (here) showWithin(byId("panel-ranking"), button);
  }
}

