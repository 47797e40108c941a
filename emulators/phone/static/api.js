// Calls to the emulators' control APIs; they live on this same server.

export class Refused extends Error {}

const ENGLISH = {
  "no such person": "没有这个人",
  "not a member of this group": "不在这个群里",
  "a location cannot @ the robot": "群里发位置,机器人收不到",
  "voice, video and files reach the robot only in the 1:1 chat": "语音、视频和文件只能在单聊里发给机器人",
  "DingTalk has no scan event; dd.scan answers the page that asked": "钉钉没有扫码消息,请拍设备铭牌的二维码",
  "the message was recalled": "消息已撤回",
  "the card shows no such button": "卡片已更新,这个按钮没有了",
  "no such link": "没有这个链接",
};

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(ENGLISH[body.reason] || body.reason || `操作没有成功(${response.status})`);
  return body;
}

export async function get(path) {
  return answer(await fetch(path));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** An action on one phone; a FormData goes as multipart. */
export async function act(phone, name, body = {}) {
  const path = `/${phone.platform}/_phone/${encodeURIComponent(phone.user)}/${name}`;
  if (body instanceof FormData) return answer(await fetch(path, { method: "POST", body }));
  return post(path, body);
}

/** The phone's sensors, as pages opened on it see them. */
export function devicePath(phone) {
  const user = encodeURIComponent(phone.user);
  return phone.platform === "wecom" ? `/wecom/_phone/${user}/device` : `/phone/dd/${user}/device`;
}

let take = Math.floor(Date.now() / 1000) % 1000000;

/** Press the shutter: a new take of a ready-made photo as a File. `place` is added only to an original. */
export async function shoot(name, { original = false, place = null } = {}) {
  take += 1;
  const query = new URLSearchParams({ take });
  if (original) query.set("original", "1");
  if (original && place) { query.set("lat", place.lat); query.set("lon", place.lon); }
  const response = await fetch(`/phone/photos/${encodeURIComponent(name)}.jpg?${query}`);
  if (!response.ok) throw new Refused("没有拍到照片,请再试一次");
  return new File([await response.blob()], `IMG_${take}.jpg`, { type: "image/jpeg" });
}
