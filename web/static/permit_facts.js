// The long form of a permit: one tap fills what is usual into what is still empty; nothing is sent by itself.
"use strict";

const form = document.querySelector("[data-facts]");
if (form) {
  const fill = form.querySelector("[data-fill]");
  fill.hidden = !form.querySelector("[data-offer]");
  fill.addEventListener("click", () => {
    form.querySelectorAll("input[type=radio][data-offer]").forEach((pick) => {
      if (!form.querySelector(`input[name="${CSS.escape(pick.name)}"]:checked`)) pick.checked = true;
    });
    form.querySelectorAll("input:not([type=radio])[data-offer]").forEach((text) => { if (!text.value) text.value = text.dataset.offer; });
  });
  form.querySelectorAll("[data-quick]").forEach((button) => {
    button.addEventListener("click", () => { button.parentElement.querySelector("input").value = button.dataset.quick; });
  });
  form.addEventListener("submit", () => {
    form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
