// The dialog that calibrates the screen and the one that lists the keys.
import { words } from "./words";

const CARD_MM = 85.6;
const KEPT = "doorstep.ecg.pixelsPerMillimetre";
export const DEFAULT_SCALE = 96 / 25.4;

export function keptScale(): number {
  const kept = Number(localStorage.getItem(KEPT));
  return kept >= 2 && kept <= 12 ? kept : DEFAULT_SCALE;
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name, attributes: Record<string, string> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function calibrationDialog(changed: (scale: number) => void): HTMLDialogElement {
  const ruler = element("div", { class: "ruler", "aria-hidden": "true" });
  const slider = element("input", { type: "range", min: "2", max: "9", step: "0.01", "aria-label": words.rulerWidth });
  const show = (scale: number): void => {
    slider.value = String(scale);
    ruler.style.width = `${scale * CARD_MM}px`;
    slider.setAttribute("aria-valuetext", `${scale.toFixed(2)} px/mm`);
  };
  const save = element("button", { type: "button" }, words.save);
  const reset = element("button", { type: "button" }, words.reset);
  const close = element("button", { type: "button" }, words.close);
  const dialog = element("dialog", { "aria-label": words.calibrate }, element("p", {}, words.calibrateHow), ruler, slider,
    element("div", { class: "row" }, save, reset, close));
  slider.addEventListener("input", () => show(Number(slider.value)));
  save.addEventListener("click", () => {
    localStorage.setItem(KEPT, slider.value);
    changed(Number(slider.value));
    dialog.close();
  });
  reset.addEventListener("click", () => show(DEFAULT_SCALE));
  close.addEventListener("click", () => dialog.close());
  show(keptScale());
  return dialog;
}

export function keysDialog(): HTMLDialogElement {
  const list = element("dl", {}, ...words.keys.flatMap(([key, meaning]) => [element("dt", {}, key), element("dd", {}, meaning)]));
  const close = element("button", { type: "button" }, words.close);
  const dialog = element("dialog", { "aria-label": words.help }, list, close);
  close.addEventListener("click", () => dialog.close());
  return dialog;
}
