// The case page: a form goes out once, and chosen photos are named before they are sent.
"use strict";

document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", () => {
    form.querySelectorAll("button").forEach((button) => { button.disabled = true; button.textContent = "正在提交…"; });
  });
});
document.querySelectorAll("input[data-photos]").forEach((input) => {
  input.addEventListener("change", () => {
    const files = [...input.files];
    const big = files.filter((f) => f.size > 5 * 1024 * 1024).length;
    const note = input.form.querySelector("[data-chosen]");
    note.textContent = `已选${files.length}张` + (big ? `,其中${big}张超过5 MB会被退回` : "");
  });
});
// back from the page cache: the buttons must work again
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
