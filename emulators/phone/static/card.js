// Cards as each platform draws them: colour, facts, picture, choices, buttons.
import { el, icon } from "./dom.js";
import { markdown } from "./markdown.js";

const PENDING_MS = 8000;

export function renderCard(phone, item) {
  const card = item.card;
  if (!card) return el("div", { class: "bubble" }, item.text);
  const choices = phone.choicesOf(item);
  const box = el("div", { class: `card ${item.kind}`, dataset: { testid: "card", colour: card.colour || "", revision: card.revision, ...(item.kind === "todo" && card.note === "已完成" ? { done: "1" } : {}) } },
    card.source ? el("p", { class: "source" }, card.source) : null,
    head(phone, item, card),
    card.emphasis ? el("div", { class: "emphasis" }, el("b", {}, card.emphasis.title), el("span", {}, card.emphasis.desc)) : null,
    card.picture_url ? el("img", { class: "zoom cover", src: card.picture_url, alt: card.title || "照片", loading: "lazy" }) : null,
    card.quote ? el("blockquote", {}, card.quote.title ? el("b", {}, card.quote.title) : null, card.quote.text) : null,
    body(phone, item, card),
    facts(phone, item, card),
    (card.selects || []).map((one) => select(one, choices)),
    buttons(phone, item, card, choices),
    links(phone, item, card),
    card.note ? el("p", { class: "note" }, card.note) : null);
  return box;
}

function head(phone, item, card) {
  const whole = (card.links || []).find((one) => one.key === "card");
  const inside = [el("h3", {}, card.title || item.text), card.subtitle ? el("p", { class: "subtitle" }, card.subtitle) : null];
  if (!whole) return el("div", { class: "head" }, inside);
  return el("button", { type: "button", class: "head link-head", dataset: { testid: "card-link", key: "card" }, onclick: () => phone.openLink(item, "card") },
    el("span", {}, inside), icon("chevron", 16));
}

function body(phone, item, card) {
  if (!card.body) return null;
  if (phone.platform === "dingtalk") return markdown(card.body, (url) => phone.openLink(item, url));
  return el("p", { class: "body" }, card.body);
}

function facts(phone, item, card) {
  if (!card.facts || !card.facts.length) return null;
  const linked = Object.fromEntries((card.links || []).filter((one) => String(one.key).startsWith("fact:")).map((one) => [one.key, one]));
  return el("dl", { class: "facts" }, card.facts.map(([name, value], at) => [
    el("dt", {}, name),
    el("dd", {}, linked[`fact:${at}`]
      ? el("button", { type: "button", class: "link", onclick: () => phone.openLink(item, `fact:${at}`) }, value) : value),
  ]));
}

function select(one, choices) {
  const given = choices[one.key] || (Array.isArray(one.selected) ? one.selected : [one.selected].filter(Boolean));
  const note = (ids) => { choices[one.key] = ids; };
  if (one.multiple) {
    return el("fieldset", { class: "checks", disabled: one.disabled }, one.title ? el("legend", {}, one.title) : null,
      one.options.map((option) => el("label", {},
        el("input", {
          type: "checkbox", value: option.id, checked: given.includes(option.id), dataset: { testid: "card-check" },
          onchange: (event) => {
            const all = [...event.target.closest("fieldset").querySelectorAll("input:checked")];
            note(all.map((input) => input.value));
          },
        }), option.text)));
  }
  const box = el("select", {
    disabled: one.disabled, "aria-label": one.title || "请选择", dataset: { testid: "card-select", key: one.key },
    onchange: (event) => note(event.target.value ? [event.target.value] : []),
  }, given.length ? null : el("option", { value: "" }, "请选择"),
  one.options.map((option) => el("option", { value: option.id, selected: given.includes(option.id) }, option.text)));
  return el("label", { class: "select" }, el("span", {}, one.title || "请选择"), box);
}

function buttons(phone, item, card, choices) {
  const rows = (card.buttons || []).map((one) => button(phone, item, one, choices));
  const menu = card.menu ? card.menu.actions.map((one) => button(phone, item, { ...one, style: "neutral", kind: "callback" }, choices)) : [];
  const all = [...rows, ...menu];
  return all.length ? el("div", { class: `buttons n${Math.min(all.length, 4)}` }, all) : null;
}

function button(phone, item, one, choices) {
  const waits = phone.pending.get(item.id) === one.key;
  return el("button", {
    type: "button", class: `act ${one.style || ""} ${waits ? "waiting" : ""}`, disabled: Boolean(one.disabled),
    dataset: { testid: "card-button", key: one.key },
    onclick: (event) => press(phone, item, one, choices, event.currentTarget),
  }, one.label);
}

async function press(phone, item, one, choices, node) {
  if (phone.pending.has(item.id)) return;
  phone.pending.set(item.id, one.key);
  node.classList.add("waiting");
  const done = () => {
    if (phone.pending.get(item.id) === one.key) phone.pending.delete(item.id);
    node.classList.remove("waiting");
  };
  const answer = await phone.act("tap", { item: item.id, key: one.key, selected: one.kind === "url" ? undefined : choices });
  if (answer && answer.url) phone.openPage(answer);
  // The card itself tells what came of it; without any change the button is freed again.
  if (!answer || answer.url) done(); else setTimeout(done, PENDING_MS);
}

function links(phone, item, card) {
  const shown = (card.links || []).filter((one) => one.key !== "card" && !String(one.key).startsWith("fact:") && one.title);
  if (!shown.length) return null;
  return el("div", { class: "jumps" }, shown.map((one, at) => el("button", {
    type: "button", class: "jump", dataset: { testid: "card-link", key: one.key || `link:${at}` },
    onclick: () => item.kind === "todo" ? phone.openTodo(item) : phone.openLink(item, one.key || one.url),
  }, one.title, icon("chevron", 14))));
}
