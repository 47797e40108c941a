// What a phone can send besides text: photos, a place, a voice message, a scanned code, a file.
import { shoot } from "./api.js";
import { el } from "./dom.js";
import { PlantMap } from "./map.js";
import { primary, sheet } from "./sheet.js";

const MAX_PHOTOS = 9;

// --- photos --------------------------------------------------------------------------------------------------------
export function photoSheet(phone, { menuKey = null } = {}) {
  const chosen = []; // {name} of a ready-made photo or {file}
  const caption = phone.platform === "dingtalk" ? el("input", { type: "text", placeholder: "配一句话(可不写)", "aria-label": "配一句话", dataset: { testid: "photo-caption" } }) : null;
  const original = el("input", { type: "checkbox", dataset: { testid: "photo-original" } });
  const send = primary("发送", "photo-send", async () => {
    send.disabled = true;
    send.textContent = "发送中…";
    if (await sendPhotos(phone, chosen, { menuKey, caption: caption ? caption.value.trim() : "", original: original.checked })) opened.close();
    else count();
  });
  const mine = el("div", { class: "mine-files" });
  const tiles = phone.world.setup.photos.map((photo) => el("button", {
    type: "button", class: "shot", "aria-pressed": "false", title: photo.words, dataset: { testid: "demo-photo", name: photo.name },
    onclick: (event) => { toggle(event.currentTarget, photo.name); },
  }, el("img", { src: `/phone/photos/${photo.name}.jpg?width=240`, alt: photo.title, width: 120, height: 90 }), el("span", {}, photo.title), el("b")));
  const count = () => {
    send.disabled = !chosen.length;
    send.textContent = chosen.length ? `发送(${chosen.length})` : "发送";
    for (const tile of tiles) {
      const at = chosen.findIndex((one) => one.name === tile.dataset.name);
      tile.setAttribute("aria-pressed", String(at >= 0));
      tile.querySelector("b").textContent = at >= 0 ? at + 1 : "";
    }
    mine.replaceChildren(...chosen.filter((one) => one.file).map((one) => el("button", {
      type: "button", class: "chip", title: "移除", onclick: () => { chosen.splice(chosen.indexOf(one), 1); count(); },
    }, `${one.file.name} ×`)));
  };
  const toggle = (tile, name) => {
    const at = chosen.findIndex((one) => one.name === name);
    if (at >= 0) chosen.splice(at, 1); else if (chosen.length < MAX_PHOTOS) chosen.push({ name }); else phone.say("一次最多 9 张");
    count();
  };
  const input = el("input", {
    type: "file", accept: "image/*", multiple: true, class: "file", "aria-label": "选择图片文件", dataset: { testid: "photo-file" },
    onchange: () => { for (const file of input.files) if (chosen.length < MAX_PHOTOS) chosen.push({ file }); input.value = ""; count(); },
  });
  const opened = sheet(phone, menuKey ? "拍照上报" : "拍照", [
    el("p", { class: "help" }, "点一张演示照片,像在现场拍的一样;也可以选自己的照片。"),
    el("div", { class: "shots" }, tiles), mine, caption,
    el("label", { class: "check" }, original, "发原图(照片里带拍摄时间和位置)"),
  ], [el("label", { class: "secondary" }, "从文件选", input), send]);
  count();
}

async function sendPhotos(phone, chosen, { menuKey, caption, original }) {
  try {
    const place = original ? await phone.device() : null;
    const at = place && place.lat !== null ? place : null;
    const form = new FormData();
    for (const one of chosen) form.append("file", one.file || (await shoot(one.name, { original, place: at })));
    if (menuKey) form.append("key", menuKey);
    if (caption) form.append("caption", caption);
    if (phone.group) {
      form.append("group", phone.group);
      form.append("at_bot", String(phone.composer.at));
    }
    return await phone.act(menuKey ? "menu" : "photo", form);
  } catch (error) {
    phone.say(error.message);
    return null;
  }
}

// --- a place -------------------------------------------------------------------------------------------------------
export async function locationSheet(phone, { menuKey = null } = {}) {
  const device = await phone.device().catch(() => ({}));
  const map = new PlantMap(phone.world.setup, { at: device.lat ? device : phone.at, accuracy: Number(device.accuracy) || 8 });
  const meters = el("output", {}, "");
  const slider = el("input", { type: "range", min: 3, max: 200, value: Number(device.accuracy) || 8, "aria-label": "GPS 精度(米)", dataset: { testid: "accuracy" } });
  const gps = el("input", { type: "checkbox", checked: device.gps !== "off", dataset: { testid: "gps" } });
  const show = () => {
    map.setAccuracy(Number(slider.value));
    meters.textContent = `±${slider.value} 米${Number(slider.value) > 15 ? "(偏差大)" : ""}`;
  };
  const keep = () => phone.setDevice({ lat: map.at.lat, lon: map.at.lon, accuracy: Number(slider.value), gps: gps.checked ? "on" : "off" });
  slider.addEventListener("input", show);
  const only = el("button", {
    type: "button", class: "secondary", dataset: { testid: "location-keep" },
    onclick: async () => { await keep(); opened.close(); phone.say("手机定位已改到这里"); },
  }, "只改手机定位");
  const send = primary("发送位置", "location-send", async () => {
    await keep();
    const body = { lat: map.at.lat, lon: map.at.lon, label: map.label(), ...(menuKey ? { key: menuKey } : {}) };
    if (await phone.act(menuKey ? "menu" : "location", body)) opened.close();
  });
  const opened = sheet(phone, "位置", [
    map.node,
    el("label", { class: "range" }, el("span", {}, "GPS 精度"), slider, meters),
    el("label", { class: "check" }, gps, "手机打开了定位"),
    phone.platform === "dingtalk" ? el("p", { class: "help" }, "钉钉机器人收不到位置内容,只知道发过一条。要报位置,请点输入框上方的「位置上报」。") : null,
  ], [only, send]);
  show();
}

// --- voice ---------------------------------------------------------------------------------------------------------
// an AMR file of silence: the magic number and one 20 ms frame without data
const SILENCE = new Uint8Array([35, 33, 65, 77, 82, 10, 124]);

export function voiceSheet(phone) {
  const words = el("textarea", { rows: 3, placeholder: "说的话,例如:3号泵房出口法兰在滴甲醇", "aria-label": "说的话", dataset: { testid: "voice-text", first: "1" } });
  const meters = el("output", {}, "4 秒");
  const slider = el("input", { type: "range", min: 1, max: 60, value: 4, "aria-label": "语音时长(秒)", dataset: { testid: "voice-seconds" }, oninput: () => { meters.textContent = `${slider.value} 秒`; } });
  const dingtalk = phone.platform === "dingtalk";
  const send = primary("发送语音", "voice-send", async () => {
    const form = new FormData();
    form.append("file", new File([SILENCE], `voice-${slider.value}s.amr`, { type: "audio/amr" }));
    if (dingtalk) {
      form.append("recognition", words.value.trim());
      form.append("duration_ms", String(Number(slider.value) * 1000));
    }
    if (await phone.act("voice", form)) opened.close();
  });
  const opened = sheet(phone, "语音", [
    dingtalk ? words : null,
    el("label", { class: "range" }, el("span", {}, "时长"), slider, meters),
    el("p", { class: "help" }, dingtalk ? "钉钉会把语音识别成文字,一起发给机器人。" : "企业微信只给应用声音,不带识别文字;这里发的是一段空白录音。"),
  ], [send]);
}

// --- scan ----------------------------------------------------------------------------------------------------------
export function scanSheet(phone, { key = null } = {}) {
  const dingtalk = phone.platform === "dingtalk";
  const areas = Object.fromEntries(phone.world.setup.areas.map((area) => [area.code, area.name]));
  const rows = phone.world.setup.equipment.map((one) => el("button", {
    type: "button", class: "scan-row", dataset: { testid: "scan-item", code: one.code }, onclick: () => choose(one),
  }, el("b", {}, one.code), el("span", {}, one.name), el("i", {}, areas[one.area] || "")));
  const filter = el("input", {
    type: "search", placeholder: "找设备:编号或名称", "aria-label": "找设备", dataset: { testid: "scan-filter", first: "1" },
    oninput: () => { for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(filter.value.trim().toLowerCase()); },
  });
  const choose = async (one) => {
    await phone.setDevice({ scan_result: one.code });
    if (!dingtalk) {
      const body = key ? { result: one.code, key } : { result: one.code };
      if (await phone.act("scan", body)) opened.close();
      return;
    }
    const form = new FormData();
    try {
      form.append("file", await shoot(`plate-${one.code}`));
    } catch (error) {
      phone.say(error.message);
      return;
    }
    if (await phone.act("photo", form)) opened.close();
  };
  const opened = sheet(phone, dingtalk ? "拍设备铭牌" : "扫设备码", [
    el("p", { class: "help" }, dingtalk ? "钉钉没有扫码消息:发一张铭牌二维码的照片,由安哨识别。" : "选一台设备,等于扫了它的二维码。"),
    filter, el("div", { class: "scan-list" }, rows),
  ]);
}

// --- file ----------------------------------------------------------------------------------------------------------
export function filesSheet(phone) {
  const input = el("input", { type: "file", class: "file", "aria-label": "选择文件", dataset: { testid: "any-file" } });
  const name = el("span", {}, "还没有选");
  input.addEventListener("change", () => { name.textContent = input.files[0] ? input.files[0].name : "还没有选"; });
  const opened = sheet(phone, "文件", [
    el("p", { class: "help" }, "文件或视频(mp4)发给机器人或应用。照片请从「照片」发。"),
    el("label", { class: "pick" }, "选文件", input, name),
  ], [primary("发送文件", "file-send", async () => {
    if (!input.files[0]) return phone.say("请先选一个文件");
    const form = new FormData();
    form.append("file", input.files[0]);
    const film = input.files[0].type === "video/mp4";
    if (await phone.act(film ? "video" : "file", form)) opened.close();
    return null;
  })]);
}
