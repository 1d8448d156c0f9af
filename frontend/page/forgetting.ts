// A form that somebody began and walked away from forgets what was typed: nobody reads the number of whoever stood there before.
export function startForgetting(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-forget]");
  if (!form) return;
  const wait = Number(form.dataset.forget) * 1000;
  const fields = [...form.querySelectorAll<HTMLInputElement>("input:not([type=hidden])")];
  const forget = () => {
    if (!fields.some((field) => field.value) && !form.querySelector("[role=alert]")) return;
    // Not from the history either: the page is asked for anew and what was sent is not repeated.
    location.replace(location.pathname);
  };
  let timer = window.setTimeout(forget, wait);
  const again = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(forget, wait);
  };
  for (const sign of ["pointerdown", "keydown", "input"]) document.addEventListener(sign, again);
}
