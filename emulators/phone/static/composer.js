// The lower edge of a phone: menu or quick entries, text field, and the ways to send something else.
import { el, icon } from "./dom.js";
import { filesSheet, locationSheet, photoSheet, scanSheet, voiceSheet } from "./sheets.js";

const SILENT = { todo: "点待办打开处理页面", notice: "工作通知只能看", sms: "短信只能收" };

export class Composer {
  constructor(phone) {
    this.phone = phone;
    this.at = true;
    this.more = false;
    this.drafts = new Map();
    this.node = el("div", { class: "composer" });
  }

  /** Draw what fits the chat that is open. */
  adapt() {
    const phone = this.phone;
    if (this.field) this.drafts.set(this.chat, this.field.value);
    this.chat = phone.chat;
    const silent = SILENT[phone.chat];
    if (silent) {
      this.field = null;
      this.node.replaceChildren(el("p", { class: "silent" }, silent));
      return;
    }
    this.node.replaceChildren(...[this.entries(), this.line(), this.more ? this.grid() : null].filter(Boolean));
  }

  line() {
    const phone = this.phone;
    this.field = el("textarea", {
      rows: 1, "aria-label": `${phone.name}要说的话`, placeholder: this.placeholder(), dataset: { testid: "composer" }, value: this.drafts.get(phone.chat) || "",
      oninput: () => this.grow(),
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); }
      },
    });
    const inGroup = Boolean(phone.group);
    const withBot = inGroup && (phone.platform === "dingtalk" || phone.world.group(phone.group)?.bot);
    const mention = withBot ? el("button", {
      type: "button", class: "at", "aria-pressed": String(this.at), dataset: { testid: "mention" }, title: "@ 安哨,机器人才收得到",
      onclick: (event) => { this.at = !this.at; event.currentTarget.setAttribute("aria-pressed", String(this.at)); },
    }, "@安哨") : null;
    return el("div", { class: "line" },
      mention || this.round("mic", "语音", "open-voice", () => voiceSheet(phone), inGroup),
      this.field,
      this.round("camera", "拍照", "open-photo", () => photoSheet(phone)),
      inGroup ? null : this.round("plus", "更多", "more", (event) => { this.more = !this.more; this.adapt(); event.currentTarget?.focus?.(); }),
      el("button", { type: "button", class: "send", "aria-label": "发送", dataset: { testid: "send" }, onclick: () => this.send() }, "发送"));
  }

  placeholder() {
    const phone = this.phone;
    if (!phone.group) return "说说隐患…";
    if (phone.platform === "wecom" && !phone.world.group(phone.group)?.bot) return "群里说话(应用收不到)";
    return "群里说话";
  }

  round(mark, label, testid, onclick, hidden = false) {
    return hidden ? null : el("button", { type: "button", class: "round", "aria-label": label, title: label, dataset: { testid }, onclick }, icon(mark, 22));
  }

  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(96, this.field.scrollHeight)}px`;
  }

  async send() {
    const phone = this.phone;
    const text = this.field.value.trim();
    if (!text) return;
    const body = { text };
    if (phone.group) Object.assign(body, { group: phone.group, at_bot: this.at });
    this.field.value = "";
    this.grow();
    if (!(await phone.act("say", body)) && this.field && !this.field.value) this.field.value = text;
  }

  grid() {
    const phone = this.phone;
    const tiles = [
      ["camera", "照片", "grid-photo", () => photoSheet(phone)],
      ["pin", "位置", "open-location", () => locationSheet(phone)],
      ["mic", "语音", "grid-voice", () => voiceSheet(phone)],
      ["scan", "扫码", "open-scan", () => scanSheet(phone)],
      ["file", "文件", "open-file", () => filesSheet(phone)],
      ["open", phone.platform === "wecom" ? "进入应用" : "打开会话", "open-app", () => this.openApp()],
    ];
    return el("div", { class: "more-grid" }, tiles.map(([mark, label, testid, act]) =>
      el("button", { type: "button", dataset: { testid }, onclick: act }, el("i", {}, icon(mark, 24)), label)));
  }

  async openApp() {
    const phone = this.phone;
    const device = await phone.device();
    const place = device.lat === null || device.gps === "off" ? {} : { lat: device.lat, lon: device.lon, precision: Number(device.accuracy) };
    if (await phone.act("open", place)) phone.say(phone.platform === "wecom" ? "已进入应用,位置随之上报" : "已打开会话,消息标为已读");
  }

  // --- menu (WeCom) and quick entries (DingTalk) --------------------------------------------------------------------
  entries() {
    const phone = this.phone;
    if (phone.chat !== "app" || !phone.entries.length) return null;
    if (phone.platform === "dingtalk") {
      return el("div", { class: "quick" }, phone.entries.map((one) => el("button", {
        type: "button", dataset: { testid: "menu-button", key: one.key },
        onclick: async () => { const answer = await phone.act("menu", { key: one.key }); if (answer) phone.openPage(answer); },
      }, one.name)));
    }
    return el("div", { class: "menu", role: "menubar" }, phone.entries.map((one) => this.menuButton(one)));
  }

  menuButton(one) {
    const below = one.sub_button || [];
    if (!below.length) return el("div", {}, el("button", { type: "button", dataset: { testid: "menu-button", key: one.key || one.url || "" }, onclick: () => this.menu(one) }, one.name));
    const list = el("div", { class: "sub", hidden: true }, below.map((row) => el("button", {
      type: "button", dataset: { testid: "menu-button", key: row.key || row.url || "" }, onclick: () => { list.hidden = true; this.menu(row); },
    }, row.name)));
    const opener = el("button", {
      type: "button", "aria-haspopup": "true", dataset: { testid: "menu-opener" },
      onclick: () => {
        for (const other of this.node.querySelectorAll(".sub")) if (other !== list) other.hidden = true;
        list.hidden = !list.hidden;
      },
    }, icon("menu", 14), one.name);
    return el("div", { onkeydown: (event) => { if (event.key === "Escape") { list.hidden = true; opener.focus(); } } }, list, opener);
  }

  async menu(button) {
    const phone = this.phone;
    const key = button.key || button.url || button.name;
    if (button.type.startsWith("scancode")) return scanSheet(phone, { key });
    if (button.type.startsWith("pic")) return photoSheet(phone, { menuKey: key });
    if (button.type === "location_select") return locationSheet(phone, { menuKey: key });
    const answer = await phone.act("menu", { key });
    if (answer && answer.url) phone.openPage(answer);
    return answer;
  }
}
