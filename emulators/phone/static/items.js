// One item of a chat: bubble, picture, place, voice, card, to-do, SMS.
import { avatar, botAvatar, clock, el, icon, svg } from "./dom.js";
import { renderCard } from "./card.js";
import { markdown } from "./markdown.js";
import { showPicture } from "./viewer.js";

export function renderItem(phone, item) {
  const node = item.recalled ? recalled(phone, item) : item.chat === "sms" ? text(phone, item, "sms") : row(phone, item);
  node.dataset.item = item.id;
  node.dataset.testid = "item";
  node.dataset.kind = item.kind;
  node.dataset.from = item.from === "me" ? "me" : item.from === "bot" ? "bot" : "other";
  node.dataset.seq = item.seq;
  for (const picture of node.querySelectorAll("img.zoom")) {
    picture.addEventListener("click", () => showPicture(picture.src, picture.alt));
  }
  return node;
}

export function timeMark(at) {
  return el("div", { class: "time" }, clock(at));
}

function recalled(phone, item) {
  const who = item.from === "me" ? "你" : item.from === "bot" ? "安哨" : item.from;
  return el("div", { class: "notice-line" }, item.chat === "todo" ? "一条待办已取消" : `${who}撤回了一条消息`);
}

function row(phone, item) {
  const mine = item.from === "me";
  const bot = item.from === "bot";
  const name = mine ? phone.name : bot ? "安哨" : item.from;
  const wide = item.kind === "card" || item.kind === "todo";
  const show = !mine && (item.chat.startsWith("group:") || !bot);
  return el("div", { class: `row ${mine ? "mine" : "theirs"} ${wide ? "wide" : ""}` },
    bot ? botAvatar() : avatar(name),
    el("div", { class: "said" }, show ? el("span", { class: "who" }, name) : null, content(phone, item), toast(item)));
}

function toast(item) {
  return item.toast ? el("p", { class: "toast-line", role: "alert" }, item.toast) : null;
}

function content(phone, item) {
  if (item.kind === "card" || item.kind === "todo") return renderCard(phone, item);
  if (item.kind === "image") return pictures(item);
  if (item.kind === "location") return place(phone, item);
  if (item.kind === "voice") return voice(item);
  if (item.kind === "file") return file(item);
  if (item.kind === "markdown") return el("div", { class: "bubble" }, markdown(item.text, (url) => phone.openLink(item, url)));
  if (item.kind === "link") return linkTile(phone, item);
  return text(phone, item, "bubble");
}

function text(phone, item, kind) {
  const parts = [];
  let rest = String(item.text);
  for (const one of item.links || []) { // a link stands where its words are
    const at = rest.indexOf(one.title);
    if (at < 0 || !one.title) continue;
    parts.push(linked(phone, rest.slice(0, at)), linkButton(phone, item, one));
    rest = rest.slice(at + one.title.length);
  }
  return el("div", { class: kind }, parts, linked(phone, rest));
}

// addresses in a plain text are tappable, as on a real phone
function linked(phone, words) {
  return words.split(/(https?:\/\/[^\s,。;,)]+)/).map((part, at) => at % 2
    ? el("button", { type: "button", class: "link", onclick: () => phone.openPage({ url: part }) }, part) : part);
}

export function linkButton(phone, item, one) {
  return el("button", {
    type: "button", class: "link", dataset: { testid: "link", key: one.key || one.url },
    onclick: () => phone.openLink(item, one.key || one.url),
  }, one.title || one.label || "查看详情");
}

function pictures(item) {
  const several = item.card ? item.card.links.map((one) => one.url) : [];
  const urls = several.length ? several : [item.image_url].filter(Boolean);
  return el("div", { class: "pictures" },
    el("div", { class: urls.length > 1 ? "grid" : "" }, urls.map((url) => el("button", {
      type: "button", class: "picture", dataset: { testid: "picture" }, "aria-label": "放大照片", onclick: () => showPicture(url, item.text),
    }, el("img", { src: url, alt: item.text || "照片", loading: "lazy" })))),
    item.text ? el("div", { class: "bubble" }, item.text) : null);
}

function place(phone, item) {
  const facts = Object.fromEntries((item.card && item.card.facts) || []);
  const lat = item.place ? item.place.lat : facts["纬度"];
  const lon = item.place ? item.place.lon : facts["经度"];
  return el("div", { class: "place-tile" },
    el("div", { class: "place-text" }, el("b", {}, item.text || "位置"), el("span", {}, lat ? `${Number(lat).toFixed(6)}, ${Number(lon).toFixed(6)}` : "")),
    svg("svg", { viewBox: "0 0 220 76", class: "place-map", "aria-hidden": "true" },
      svg("rect", { width: 220, height: 76, class: "ground" }),
      svg("path", { d: "M-5 58 60 40 120 62 226 30M84 -4 66 80M160 -4 176 80", class: "road" }),
      svg("rect", { x: 14, y: 8, width: 42, height: 22, class: "house" }), svg("rect", { x: 184, y: 48, width: 30, height: 22, class: "house" }),
      svg("path", { d: "M110 46s-11-10-11-18a11 11 0 0 1 22 0c0 8-11 18-11 18z", class: "pin" }), svg("circle", { cx: 110, cy: 28, r: 4, fill: "#fff" })));
}

function voice(item) {
  const name = (item.card && item.card.title) || item.text || "";
  const seconds = Number((name.match(/(\d+)s/) || [])[1] || 3);
  const heard = item.card && item.text && item.text !== name ? item.text : "";
  return el("div", { class: "voice" },
    el("div", { class: "bubble", style: `min-width:${Math.min(200, 70 + seconds * 9)}px` }, icon("mic", 18), ` ${seconds}″`),
    heard ? el("p", { class: "heard" }, heard) : null);
}

function file(item) {
  const name = item.text || (item.card && item.card.title) || "文件";
  const url = item.file_url || (item.card && item.card.links[0] && item.card.links[0].url);
  return el(url ? "a" : "div", { class: "file-tile", href: url, target: "_blank", rel: "noopener" },
    icon("file", 30), el("span", {}, name));
}

function linkTile(phone, item) {
  const links = item.links && item.links.length ? item.links : (item.card && item.card.links) || [];
  return el("div", { class: "bubble" }, links.map((one) => linkButton(phone, item, one)));
}
