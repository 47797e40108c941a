// The sign board: asks for the live permits every 5 seconds, counts down in between, says when it has lost touch.
"use strict";

const main = document.querySelector("main");
const SVG = "http://www.w3.org/2000/svg";
const ASK_MS = 5000;
const OLD_MS = 30000;
const TONES = { suspended: "叫停", ending: "将到期", active: "作业中", paused: "中断", ready: "待开工" };
let seen = null; // the last answer
let ahead = 0; // server's clock minus ours, ms
let heard = 0; // when the last answer came, by performance.now()

const plantTime = { timeZone: main.dataset.zone, hour: "2-digit", minute: "2-digit", hour12: false };
const now = () => Date.now() + ahead;
const two = (n) => String(n).padStart(2, "0");

function element(tag, className, text, space) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  if (className) made.setAttribute("class", className);
  if (text !== undefined) made.textContent = text;
  return made;
}

function countdown(until) {
  if (!until) return "";
  const seconds = Math.round((Date.parse(until) - now()) / 1000);
  const away = Math.abs(seconds);
  const text = away >= 3600 ? `${Math.floor(away / 3600)}:${two(Math.floor(away / 60) % 60)}` : `${Math.floor(away / 60)}分${two(away % 60)}秒`;
  if (away >= 172800) return `${seconds < 0 ? "超期" : "剩"}${Math.floor(away / 86400)}天`;
  return (seconds < 0 ? "超期 " : "剩 ") + text;
}

function ago(at) {
  const minutes = Math.max(0, Math.round((now() - Date.parse(at)) / 60000));
  return minutes < 1 ? "刚才" : minutes < 120 ? `${minutes}分钟前` : `${Math.floor(minutes / 60)}小时前`;
}

function row(permit) {
  const made = element(main.dataset.key ? "div" : "a", `permit ${permit.tone}`);
  if (!main.dataset.key) made.href = `/h5/permits/${encodeURIComponent(permit.number)}`;
  made.append(element("b", "", `${permit.number} ${permit.name}`), element("span", "left", countdown(permit.until)));
  made.lastChild.dataset.until = permit.until || "";
  made.append(element("span", "wide", `${permit.state} · ${permit.place}`));
  if (permit.content) made.append(element("span", "wide", permit.content));
  if (permit.why) made.append(element("span", "wide why", permit.why));
  const gas = permit.gas ? `气体 ${permit.gas}(${ago(permit.gas_at)})` : "无气体分析";
  made.append(element("small", "wide", `监护人 ${permit.guardian || "未指定"} · ${gas}`));
  return made;
}

function spread(permits) {
  // points that fall together are set in a small ring, so that none hides another
  const groups = new Map();
  for (const p of permits) {
    if (p.x === null) continue;
    const key = `${Math.round(p.x / 14)}:${Math.round(p.y / 14)}`;
    groups.set(key, [...(groups.get(key) || []), p]);
  }
  const found = [];
  for (const group of groups.values()) {
    group.forEach((p, n) => {
      const turn = (2 * Math.PI * n) / group.length;
      const out = group.length > 1 ? 16 + group.length : 0;
      found.push({ permit: p, x: p.x + out * Math.cos(turn), y: p.y + out * Math.sin(turn) });
    });
  }
  return found;
}

const BESIDE = [["middle", 0, -16], ["middle", 0, 28], ["start", 14, 6], ["end", -14, 6], ["start", 12, -12], ["end", -12, -12], ["start", 12, 22], ["end", -12, 22]];

function boxOf(text) {
  const box = text.getBBox();
  return { left: box.x - 1, right: box.x + box.width + 1, top: box.y - 1, bottom: box.y + box.height + 1 };
}

const crosses = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function label(dots, points) {
  // a number where it covers no other number, no point and no name; one that fits nowhere is left to the list
  const taken = points.map(({ x, y }) => ({ left: x - 11, right: x + 11, top: y - 11, bottom: y + 11 }));
  document.querySelectorAll("svg text.place").forEach((name) => taken.push(boxOf(name)));
  for (const { permit, x, y } of points) {
    const text = element("text", "", permit.number, SVG);
    dots.append(text);
    const fits = BESIDE.some(([anchor, dx, dy]) => {
      text.setAttribute("text-anchor", anchor);
      text.setAttribute("x", x + dx);
      text.setAttribute("y", y + dy);
      return !taken.some((other) => crosses(boxOf(text), other));
    });
    if (fits) taken.push(boxOf(text));
    else text.remove();
  }
}

function dot({ permit, x, y }) {
  const made = element("g", `dot ${permit.tone}`, undefined, SVG);
  for (const halo of permit.tone === "suspended" ? [true, false] : [false]) {
    const circle = element("circle", halo ? "halo" : "", undefined, SVG);
    for (const [name, value] of [["cx", x], ["cy", y], ["r", 10]]) circle.setAttribute(name, value);
    made.append(circle);
  }
  made.append(element("title", "", `${permit.number} ${permit.name} ${permit.state}`, SVG));
  return made;
}

function draw() {
  const list = document.querySelector("[data-list]");
  list.replaceChildren(...seen.permits.map(row));
  if (!seen.permits.length) list.append(element("p", "none", "现在没有作业票在执行。"));
  const dots = document.querySelector("[data-dots]");
  if (dots) {
    const points = spread(seen.permits);
    dots.replaceChildren(...points.map(dot));
    label(dots, points);
  }
  const counts = Object.entries(TONES).filter(([tone]) => seen.counts[tone]);
  document.querySelector("[data-counts]").replaceChildren(...counts.map(([tone, word]) => element("span", tone, `${word} ${seen.counts[tone]}`)));
}

function tick() {
  if (heard) document.querySelector("[data-clock]").textContent = new Date(now()).toLocaleTimeString("zh-CN", plantTime);
  document.querySelectorAll("[data-until]").forEach((left) => { left.textContent = countdown(left.dataset.until); });
  const fresh = document.querySelector("[data-fresh]");
  const age = performance.now() - heard;
  fresh.classList.toggle("old", heard > 0 && age > OLD_MS);
  if (heard) fresh.textContent = age > OLD_MS ? `⚠ 已${Math.round(age / 1000)}秒没有更新,以现场和票面为准` : "实时";
}

function turnPage() {
  // nobody scrolls a wall screen: a list that does not fit goes on by itself
  const list = document.querySelector("[data-list]");
  if (!main.dataset.key || list.scrollHeight <= list.clientHeight + 4) return;
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
  list.scrollTo({ top: atEnd ? 0 : list.scrollTop + list.clientHeight * 0.9, behavior: "smooth" });
}

async function ask() {
  try {
    const answer = await fetch(main.dataset.live, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.ok) {
      seen = await answer.json();
      ahead = Date.parse(seen.at) - Date.now();
      heard = performance.now();
      draw();
      tick();
    } else if (answer.status === 401 || answer.redirected) {
      location.reload();
    }
  } catch (error) {
    console.warn("board: no answer", error); // the age on the page says it to people
  }
  setTimeout(ask, ASK_MS);
}

ask();
setInterval(tick, 1000);
setInterval(turnPage, 10000);
tick();
