// «返回聊天» where the client can close a page.
"use strict";

document.querySelectorAll("[data-close]").forEach((button) => {
  const close = window.WeixinJSBridge ? () => WeixinJSBridge.call("closeWindow")
    : history.length > 1 ? () => history.back() : null;
  if (!close) return;
  button.hidden = false;
  button.addEventListener("click", close);
});
