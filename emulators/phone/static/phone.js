// One person's phone: frame, chats, composer. Knows nothing about the other phones.
import { act, devicePath, get, post, Refused } from "./api.js";
import { avatar, clock, el, icon } from "./dom.js";
import { openPage } from "./browser.js";
import { Composer } from "./composer.js";
import { renderItem, timeMark } from "./items.js";

const APPS = { wecom: "企业微信", dingtalk: "钉钉" };
const GAP_S = 300;
const KEEP = 400; // items drawn per chat

export class Phone {
  constructor(account, world) {
    Object.assign(this, account);
    this.world = world; // setup data, soon(), opened(), notice(phone)
    this.seen = { after: 0, sms: 0 };
    this.items = new Map();
    this.nodes = new Map();
    this.pending = new Map();
    this.choices = new Map();
    this.unread = new Map();
    this.lists = new Map();
    this.last = new Map();
    this.chat = "app";
    this.first = true;
    this.entries = [];
    this.build();
  }

  // --- frame ---------------------------------------------------------------------------------------------------
  build() {
    this.tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "聊天", onkeydown: (event) => this.walkTabs(event) });
    this.pane = el("div", { class: "pane" });
    this.pill = el("button", { type: "button", class: "pill", hidden: true, onclick: () => this.toNews() });
    this.hint = el("p", { class: "phone-hint", role: "status", hidden: true });
    this.clockNode = el("span", { class: "clock" }, clock(Date.now() / 1000));
    this.title = el("span", { class: "chat-title" });
    this.subtitle = el("span", { class: "chat-sub" });
    this.composer = new Composer(this);
    this.screen = el("div", { class: "screen" },
      el("div", { class: "bar" },
        el("div", { class: "status", "aria-hidden": "true" }, this.clockNode, el("span", { class: "island" }), el("span", { class: "signal" }, el("i"), el("i"), el("i"), el("i"), el("b"))),
        el("div", { class: "chat-head" }, this.title, this.subtitle), this.tabs),
      el("div", { class: "middle" }, this.pane, this.pill, this.hint),
      this.composer.node);
    this.node = el("section", {
      class: `phone ${this.platform}`, "aria-label": `${this.name}的手机,${APPS[this.platform]}`,
      dataset: { testid: "phone", phone: this.key }, onpointerdown: () => this.lookedAt(),
    },
    el("header", { class: "owner" }, avatar(this.name, "big"),
      el("div", { class: "owner-text" }, el("b", {}, this.name), el("span", {}, this.title_())),
      el("span", { class: `badge ${this.platform}` }, APPS[this.platform]),
      el("button", { type: "button", class: "bare", "aria-label": `移除${this.name}的手机`, dataset: { testid: "remove-phone" }, onclick: () => this.world.remove(this) }, icon("close", 16))),
    el("div", { class: "frame" }, this.screen));
    for (const chat of this.baseChats()) this.addChat(chat);
    this.show("app");
  }

  title_() {
    const account = this.world.account(this.key);
    return account ? account.title : "";
  }

  baseChats() {
    const groups = this.world.groupsOf(this).map((group) => `group:${group.id}`);
    const more = this.platform === "dingtalk" ? ["todo", "notice"] : [];
    return ["app", ...groups, ...more, ...(this.world.setup.sms && this.mobile ? ["sms"] : [])];
  }

  chatName(chat, { short = false } = {}) {
    if (chat === "app") return this.platform === "wecom" ? (short ? "应用" : "安哨") : (short ? "机器人" : "安哨");
    if (chat.startsWith("group:")) {
      const group = this.world.group(chat.slice(6));
      return group ? group.title : "群聊";
    }
    return { todo: "待办", notice: "通知", sms: "短信" }[chat] || chat;
  }

  addChat(chat) {
    if (this.lists.has(chat)) return;
    const list = el("div", {
      class: `list chat-${chat.split(":")[0]}`, role: "tabpanel", tabIndex: 0, "aria-label": this.chatName(chat), hidden: chat !== this.chat,
      dataset: { testid: "list", chat }, onscroll: () => { if (this.atEnd(list)) this.pill.hidden = true; },
    }, el("p", { class: "empty" }, this.emptyText(chat)));
    this.lists.set(chat, list);
    this.pane.append(list);
    const tab = el("button", {
      type: "button", role: "tab", class: "tab", "aria-selected": String(chat === this.chat), tabIndex: chat === this.chat ? 0 : -1,
      dataset: { testid: "tab", chat }, title: this.chatName(chat), onclick: () => this.show(chat),
    }, el("span", { class: "tab-name" }, this.chatName(chat, { short: true })), el("span", { class: "count", hidden: true }));
    this.tabs.append(tab);
  }

  emptyText(chat) {
    if (chat === "app") return this.platform === "wecom" ? "发现隐患?拍张照片,说一句话,发给安哨。" : "发现隐患?拍张照片或按住说话,发给安哨。";
    if (chat === "todo") return "没有待办";
    if (chat === "sms") return "没有短信";
    if (chat === "notice") return "没有工作通知";
    return this.platform === "dingtalk" ? "群里 @安哨 才会收到" : "群里说话,应用收不到";
  }

  walkTabs(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const chats = [...this.lists.keys()];
    const next = chats[(chats.indexOf(this.chat) + step + chats.length) % chats.length];
    event.preventDefault();
    this.show(next);
    this.tab(next).focus();
  }

  tab(chat) {
    return [...this.tabs.children].find((node) => node.dataset.chat === chat);
  }

  show(chat) {
    this.chat = chat;
    for (const [name, list] of this.lists) list.hidden = name !== chat;
    for (const tab of this.tabs.children) {
      const on = tab.dataset.chat === chat;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (on) this.tabs.scrollTo({ left: tab.offsetLeft - 60, behavior: "smooth" });
    }
    const group = chat.startsWith("group:") ? this.world.group(chat.slice(6)) : null;
    this.title.textContent = this.chatName(chat) + (group ? `(${group.members.length})` : "");
    this.subtitle.textContent = chat === "app" ? (this.platform === "wecom" ? "应用" : "机器人") : "";
    this.pill.hidden = true;
    this.setUnread(chat, 0);
    this.composer.adapt();
    this.toEnd(false);
  }

  setUnread(chat, count) {
    this.unread.set(chat, count);
    const tab = this.tab(chat);
    if (tab) {
      const badge = tab.querySelector(".count");
      badge.hidden = !count;
      badge.textContent = count > 99 ? "99+" : count;
    }
    this.world.unreadChanged(this);
  }

  get unreadTotal() {
    return [...this.unread.values()].reduce((sum, count) => sum + count, 0);
  }

  // --- what comes ----------------------------------------------------------------------------------------------
  take(part) {
    if (part.gone) {
      if (!this.gone) this.say("这个人已不在企业里");
      this.gone = true;
      return;
    }
    const restart = part.seq < this.seen.after;
    this.seen = { after: part.seq, sms: part.sms_seq };
    if (restart) return;
    const items = [...part.items, ...part.sms].sort((a, b) => a.at - b.at);
    for (const item of items) this.put(item);
    if (this.first) {
      this.first = false;
      this.toEnd(false);
    }
  }

  put(item) {
    const chat = item.chat;
    if (!this.lists.has(chat)) {
      if (chat.startsWith("group:") && !this.world.group(chat.slice(6))) this.world.refresh();
      this.addChat(chat);
    }
    const old = this.items.get(item.id);
    this.items.set(item.id, item);
    const list = this.lists.get(chat);
    const stick = this.atEnd(list);
    if (old) this.change(item, old, list, stick); else this.append(item, list, stick);
  }

  change(item, old, list, stick) {
    this.pending.delete(item.id);
    if (item.card && (!old.card || old.card.revision !== item.card.revision)) this.choices.delete(item.id);
    const before = this.nodes.get(item.id);
    const node = renderItem(this, item);
    node.classList.add("changed");
    before.replaceWith(node);
    this.nodes.set(item.id, node);
    if (item.chat !== this.chat) this.setUnread(item.chat, (this.unread.get(item.chat) || 0) + 1);
    else if (stick) this.toEnd(true);
    else if (!this.visible(node, list)) this.offer("卡片有更新", node);
  }

  append(item, list, stick) {
    const gap = item.at - (this.last.get(item.chat) || 0);
    if (gap > GAP_S) list.append(timeMark(item.at));
    this.last.set(item.chat, item.at);
    const node = renderItem(this, item);
    this.nodes.set(item.id, node);
    list.querySelector(".empty")?.remove();
    list.append(node);
    while (list.children.length > KEEP) list.firstElementChild.remove();
    if (this.first) return;
    node.classList.add("fresh");
    if (item.chat !== this.chat) {
      if (item.from !== "me") this.setUnread(item.chat, (this.unread.get(item.chat) || 0) + 1);
    } else if (stick || item.from === "me") this.toEnd(true);
    else this.offer("有新消息", node);
    if (item.from !== "me") this.world.heard(this);
  }

  atEnd(list) {
    return list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  }

  visible(node, list) {
    const [a, b] = [node.getBoundingClientRect(), list.getBoundingClientRect()];
    return a.bottom > b.top + 20 && a.top < b.bottom - 20;
  }

  toEnd(smooth) {
    const list = this.lists.get(this.chat);
    if (!list) return;
    const go = () => list.scrollTo({ top: list.scrollHeight, behavior: smooth ? "smooth" : "instant" });
    go();
    // pictures that load later make the list longer
    for (const picture of list.querySelectorAll("img:not([data-waited])")) {
      picture.dataset.waited = "1";
      if (!picture.complete) picture.addEventListener("load", () => { if (this.atEnd(list) || list.scrollHeight - list.scrollTop - list.clientHeight < 420) go(); }, { once: true });
    }
  }

  offer(text, node) {
    this.pill.textContent = text;
    this.pill.hidden = false;
    this.pillTarget = node;
  }

  toNews() {
    this.pill.hidden = true;
    if (this.pillTarget) this.pillTarget.scrollIntoView({ behavior: "smooth", block: "center" });
  }

  // --- what the person does --------------------------------------------------------------------------------------
  get group() {
    return this.chat.startsWith("group:") ? this.chat.slice(6) : undefined;
  }

  /** An action; problems are shown on the phone and give null. */
  async act(name, body) {
    try {
      const answer = await act(this, name, body);
      this.world.soon();
      return answer;
    } catch (error) {
      this.say(error instanceof Refused ? error.message : "没有连上,请再试一次");
      return null;
    }
  }

  say(text) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => { this.hint.hidden = true; }, 3500);
  }

  choicesOf(item) {
    if (!this.choices.has(item.id)) this.choices.set(item.id, {});
    return this.choices.get(item.id);
  }

  async openLink(item, key) {
    const answer = await this.act("press_link", { item: item.id, key });
    if (answer && answer.url && !answer.url.startsWith("dtmd:")) this.openPage(answer);
  }

  async openTodo(item) {
    const answer = await this.act(`todo/${encodeURIComponent(item.id)}/open`);
    if (answer) this.openPage(answer);
  }

  openPage(answer) {
    openPage(this, answer);
  }

  /** DingTalk's quick entries; opening the chat also marks its messages read. */
  async loadEntries() {
    if (this.platform !== "dingtalk") return;
    const answer = await act(this, "open").catch(() => null);
    if (!answer || JSON.stringify(answer.plugins) === JSON.stringify(this.entries)) return;
    this.entries = answer.plugins || [];
    this.composer.adapt();
  }

  lookedAt() {
    const now = Date.now();
    if (now - (this.looked || 0) < 5000) return;
    this.looked = now;
    this.loadEntries();
  }

  setMenu(buttons) {
    if (this.platform !== "wecom" || JSON.stringify(buttons) === JSON.stringify(this.entries)) return;
    this.entries = buttons;
    this.composer.adapt();
  }

  // --- sensors ---------------------------------------------------------------------------------------------------
  async device() {
    const device = await get(devicePath(this));
    if (device.lat === null && this.at) return this.setDevice(this.at);
    return device;
  }

  setDevice(change) {
    return post(devicePath(this), change);
  }

  tick(now) {
    const shown = clock(now);
    if (this.clockNode.textContent !== shown) this.clockNode.textContent = shown;
  }
}
