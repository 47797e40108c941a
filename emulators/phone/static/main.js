// The wall: which phones stand on it, the strip above, the picker, the feed.
import { get } from "./api.js";
import { avatar, el, icon, keepFocus } from "./dom.js";
import { Feed } from "./feed.js";
import { Panel } from "./panel.js";
import { Phone } from "./phone.js";

const APPS = { wecom: "企业微信", dingtalk: "钉钉" };
const wall = document.getElementById("wall");
const strip = document.getElementById("strip");
const query = new URLSearchParams(location.search);

class World {
  constructor(setup) {
    this.setup = setup;
    this.phones = [];
    this.buttons = [];
  }

  account(key) {
    return this.setup.people.find((one) => one.key.toLowerCase() === key.toLowerCase());
  }

  group(id) {
    return this.setup.groups.find((one) => one.id === id);
  }

  groupsOf(phone) {
    return this.setup.groups.filter((one) => one.platform === phone.platform && one.members.some((user) => user.toLowerCase() === phone.user.toLowerCase()));
  }

  /** New groups or people turned up. */
  async refresh() {
    if (this.refreshing) return;
    this.refreshing = true;
    try {
      Object.assign(this.setup, await get("/phone/setup"), { boot: this.setup.boot });
      for (const phone of this.phones) {
        for (const tab of phone.tabs.children) tab.querySelector(".tab-name").textContent = phone.chatName(tab.dataset.chat, { short: true });
      }
    } finally {
      this.refreshing = false;
    }
  }

  add(key, { focus = false } = {}) {
    const account = this.account(key);
    if (!account) return;
    if (!this.phones.some((phone) => phone.key === account.key)) {
      const phone = new Phone({ ...account }, this);
      this.phones.push(phone);
      wall.append(phone.node);
      phone.setMenu(this.buttons);
      phone.device();
      phone.loadEntries();
      this.drawStrip();
    }
    if (focus) this.reveal(account.key);
    this.remember();
    this.soon();
  }

  remove(phone) {
    this.phones = this.phones.filter((one) => one !== phone);
    phone.node.remove();
    this.drawStrip();
    this.remember();
  }

  remember() {
    query.set("phones", this.phones.map((phone) => phone.key).join(","));
    history.replaceState(null, "", `?${query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`);
  }

  reveal(key) {
    const phone = this.phones.find((one) => one.key === key);
    if (phone) phone.node.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
  }

  drawStrip() {
    strip.replaceChildren(...this.phones.map((phone) => el("button", {
      type: "button", class: `strip-one ${phone.platform}`, title: `${phone.name} · ${APPS[phone.platform]}`, dataset: { testid: "strip", phone: phone.key },
      onclick: () => this.reveal(phone.key),
    }, avatar(phone.name), el("span", {}, phone.name), el("span", { class: "count", hidden: !phone.unreadTotal }, phone.unreadTotal))));
  }

  unreadChanged(phone) {
    const one = [...strip.children].find((node) => node.dataset.phone === phone.key);
    if (!one) return;
    const count = one.querySelector(".count");
    count.hidden = !phone.unreadTotal;
    count.textContent = phone.unreadTotal;
  }

  /** A phone rang: its place on the strip blinks once. */
  heard(phone) {
    const one = [...strip.children].find((node) => node.dataset.phone === phone.key);
    if (!one) return;
    one.classList.remove("rang");
    requestAnimationFrame(() => one.classList.add("rang"));
  }

  menu(buttons) {
    this.buttons = buttons;
    for (const phone of this.phones) phone.setMenu(buttons);
  }

  soon() {
    if (this.feed) this.feed.soon(40);
  }
}

function picker(world) {
  const close = () => { box.remove(); giveBack(); };
  const column = (platform) => el("div", {}, el("h3", { class: platform }, APPS[platform]),
    world.setup.people.filter((one) => one.platform === platform).map((one) => {
      const there = world.phones.some((phone) => phone.key === one.key);
      return el("button", {
        type: "button", class: "pick-one", disabled: there, dataset: { testid: "pick", key: one.key },
        onclick: () => { close(); world.add(one.key, { focus: true }); },
      }, avatar(one.name), el("span", {}, el("b", {}, one.name), el("i", {}, [one.title, one.department].filter(Boolean).join(" · "))), there ? el("em", {}, "已在墙上") : null);
    }));
  const box = el("div", { class: "picker", onclick: (event) => { if (event.target === box) close(); } },
    el("div", { class: "picker-box", role: "dialog", "aria-modal": "true", "aria-label": "添加手机" },
      el("div", { class: "picker-head" }, el("h2", {}, "添加手机"), el("button", { type: "button", class: "bare", "aria-label": "关闭", onclick: close }, icon("close", 20))),
      el("div", { class: "picker-cols" }, column("wecom"), column("dingtalk"))));
  document.body.append(box);
  const giveBack = keepFocus(box, close);
  (box.querySelector(".pick-one:not(:disabled)") || box.querySelector("button")).focus();
}

async function start() {
  const setup = await get("/phone/setup");
  const world = new World(setup);
  document.getElementById("plant").textContent = setup.plant;
  const state = document.getElementById("link-state");
  const wished = (query.get("phones") || "").split(",").filter(Boolean);
  const keys = wished.length ? wished : setup.default;
  const unknown = keys.filter((key) => !world.account(key));
  for (const key of keys) world.add(key);
  if (unknown.length) state.textContent = `没有这些人:${unknown.join("、")}`;
  document.getElementById("add").addEventListener("click", () => picker(world));
  const panel = new Panel(document.getElementById("panel"), document.getElementById("panel-toggle"), query);
  panel.start();
  world.feed = new Feed({
    boot: setup.boot,
    phones: () => world.phones,
    menu: (buttons) => world.menu(buttons),
    state: (kind) => { state.textContent = kind === "lost" ? "连接断开,正在重连…" : ""; },
    restarted: () => location.reload(),
  });
  world.feed.soon();
  setInterval(() => { for (const phone of world.phones) phone.tick(Date.now() / 1000); }, 5000);
  setInterval(() => { for (const phone of world.phones) if (!phone.entries.length) phone.loadEntries(); }, 10000);
}

start().catch((error) => {
  document.getElementById("link-state").textContent = `没有连上模拟器:${error.message}。请刷新。`;
});
