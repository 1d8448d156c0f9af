// Groups of buttons of which one is pressed.
import { element } from "./dialogs";

export class Choice<Value extends string | number> {
  readonly root: HTMLElement;
  private readonly buttons: Map<Value, HTMLButtonElement>;

  constructor(name: string, options: readonly (readonly [Value, string])[], changed: (value: Value) => void) {
    this.buttons = new Map(options.map(([value, text]) => [value, element("button", { type: "button" }, text)]));
    for (const [value, button] of this.buttons) button.addEventListener("click", () => changed(value));
    const set = element("div", { class: "set", role: "group", "aria-label": name }, ...this.buttons.values());
    this.root = element("div", { class: "group" }, element("span", { class: "name", "aria-hidden": "true" }, name), set);
  }

  show(current: Value): void {
    for (const [value, button] of this.buttons) button.setAttribute("aria-pressed", String(value === current));
  }
}
