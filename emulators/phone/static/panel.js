// The side panel: fault switches, counters, problems and the log of the emulators.
import { get, post } from "./api.js";
import { clock, el } from "./dom.js";
import { GROUPS, NAMES, PLATFORM_NAMES } from "./faults.js";

const PACE_MS = 1500;

export class Panel {
  constructor(node, toggle, query) {
    Object.assign(this, { node, toggle, query });
    this.platform = "wecom";
    toggle.addEventListener("click", () => this.open(this.node.hidden));
  }

  start() {
    this.faults = el("div", { class: "faults" });
    this.calls = el("div", { class: "calls" });
    this.log = el("ol", { class: "log", tabIndex: 0, "aria-label": "事件" });
    this.problems = el("ul", { class: "problems" });
    this.choose = el("div", { class: "seg", role: "group", "aria-label": "平台" }, Object.entries(PLATFORM_NAMES).map(([name, title]) => el("button", {
      type: "button", "aria-pressed": String(name === this.platform), dataset: { name }, onclick: () => this.pick(name),
    }, title)));
    this.node.append(
      el("section", {}, el("h2", {}, "故障开关"), this.choose, this.faults, el("button", { type: "button", class: "quiet small", dataset: { testid: "faults-clear" }, onclick: () => this.clear() }, "全部恢复正常")),
      el("section", {}, el("h2", {}, "平台接口调用"), this.calls, el("button", { type: "button", class: "quiet small", dataset: { testid: "calls-reset" }, onclick: () => this.reset() }, "计数清零")),
      el("section", {}, el("h2", {}, "异常请求"), this.problems),
      el("section", { class: "grow" }, el("h2", {}, "事件"), this.log));
    this.open(this.query.get("panel") === "1");
  }

  open(on) {
    this.node.hidden = !on;
    document.body.classList.toggle("with-panel", on);
    this.toggle.setAttribute("aria-expanded", String(on));
    clearTimeout(this.timer);
    if (on) this.ask();
  }

  pick(name) {
    this.platform = name;
    for (const button of this.choose.children) button.setAttribute("aria-pressed", String(button.dataset.name === name));
    this.drawn = "";
    this.show();
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      this.board = await get("/phone/board");
      this.show();
    } finally {
      if (!this.node.hidden) this.timer = setTimeout(() => this.ask(), PACE_MS);
    }
  }

  show() {
    if (!this.board) return;
    this.showFaults();
    this.showCalls();
    const problems = Object.entries(PLATFORM_NAMES).flatMap(([name, title]) => this.board[name].problems.map((text) => `${title}:${text}`));
    this.problems.replaceChildren(...(problems.length ? problems.slice(-8).map((text) => el("li", {}, text)) : [el("li", { class: "good" }, "没有")]));
    this.showLog();
  }

  showFaults() {
    const { known, active } = this.board[this.platform];
    const now = JSON.stringify([this.platform, active, Object.keys(known).length]);
    if (now === this.drawn || this.faults.contains(document.activeElement) && document.activeElement.type === "number") return;
    this.drawn = now;
    const left = new Set(Object.keys(known));
    const part = (title, names) => {
      const there = names.filter((name) => left.delete(name));
      return there.length ? el("details", { open: title !== "其他" && title !== "长连接" && title !== "更多" }, el("summary", {}, title), there.map((name) => this.fault(name, known[name], active[name]))) : null;
    };
    this.faults.replaceChildren(...GROUPS.map(([title, names]) => part(title, names)).filter(Boolean), ...[part("其他", [...left])].filter(Boolean));
  }

  fault(name, meaning, active) {
    const [label, preset, unit] = NAMES[name] || [name, true, ""];
    const number = typeof preset === "number" ? el("input", { type: "number", value: active ? active.value : preset, min: -7200, max: 7200, "aria-label": `${label}的数值` }) : null;
    const value = () => (number ? Number(number.value) : preset);
    const box = el("input", {
      type: "checkbox", checked: Boolean(active), dataset: { testid: "fault", platform: this.platform, name },
      onchange: () => this.set({ [name]: box.checked ? value() : false }),
    });
    return el("div", { class: `fault ${active ? "on" : ""}`, title: meaning || name },
      el("label", {}, box, el("span", {}, label), active && active.times ? el("em", {}, `还剩 ${active.times} 次`) : null),
      number, number ? el("i", {}, unit) : null,
      el("button", { type: "button", class: "once", dataset: { testid: "fault-once", platform: this.platform, name }, onclick: () => this.set({ [name]: value(), times: 1 }) }, "一次"));
  }

  async set(wish) {
    await post(`/${this.platform}/_phone/faults`, wish);
    await this.ask();
  }

  async clear() {
    for (const name of Object.keys(PLATFORM_NAMES)) await post(`/${name}/_phone/faults`, { clear: true });
    await this.ask();
  }

  async reset() {
    for (const name of Object.keys(PLATFORM_NAMES)) await post(`/${name}/_phone/calls/reset`, {});
    await this.ask();
  }

  showCalls() {
    const parts = Object.entries(PLATFORM_NAMES).map(([name, title]) => {
      const calls = Object.entries(this.board[name].calls).sort((a, b) => b[1] - a[1]);
      const total = calls.reduce((sum, row) => sum + row[1], 0);
      const kept = this.calls.querySelector(`[data-name=${name}]`);
      return el("details", { dataset: { name }, open: Boolean(kept && kept.open) },
        el("summary", {}, title, el("b", { dataset: { testid: "calls", platform: name } }, total), name === "dingtalk" ? el("i", {}, `本月额度 ${this.board.dingtalk.month.api || 0} / 5000`) : null),
        el("table", {}, calls.map(([path, count]) => el("tr", {}, el("td", {}, path), el("td", {}, count)))));
    });
    this.calls.replaceChildren(...parts);
  }

  showLog() {
    const rows = this.board.log.slice(-60).reverse();
    const newest = rows.length ? `${rows[0].at} ${rows[0].what} ${rows.length}` : "";
    if (newest === this.newest) return;
    this.newest = newest;
    this.log.replaceChildren(...rows.map((row) => {
      const { at, what, platform, ...facts } = row;
      const more = Object.entries(facts).filter(([, v]) => v !== "" && v !== null).map(([k, v]) => `${k}=${typeof v === "object" ? JSON.stringify(v) : v}`).join(" ");
      return el("li", { class: what === "problem" ? "bad" : "" }, el("time", {}, clock(at)), el("span", { class: `badge ${platform}` }, PLATFORM_NAMES[platform]), el("b", {}, what), el("span", {}, more));
    }));
  }
}
