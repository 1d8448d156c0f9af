// Phrases: type a key or a part of the text, Enter takes the first; Backspace in the empty box takes the last one back.
interface Phrase {
  code: string;
  key: string;
  text: string;
  en: string;
  group: string;
  critical: boolean;
}

const SHOWN = 12;

export function startPicker(form: HTMLFormElement): void {
  const box = form.querySelector<HTMLElement>("[data-phrases]");
  const input = box?.querySelector<HTMLInputElement>("input");
  const list = box?.querySelector<HTMLUListElement>("ul");
  const picked = box?.querySelector<HTMLElement>("[data-picked]");
  const codes = form.querySelector<HTMLInputElement>("[name=findings]");
  const conclusion = form.querySelector<HTMLTextAreaElement>("[name=conclusion_text]");
  if (!box || !input || !list || !picked || !codes || !conclusion) return;
  const phrases = JSON.parse(box.dataset.phrases ?? "[]") as Phrase[];
  let found: Phrase[] = [];
  let at = 0;

  const chosen = (): string[] => codes.value.split(",").filter(Boolean);
  const changed = (): void => {
    draw();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const take = (phrase: Phrase): void => {
    if (!chosen().includes(phrase.code)) {
      codes.value = [...chosen(), phrase.code].join(",");
      conclusion.value = [...conclusion.value.split("；").filter((part) => part.trim()), phrase.text].join("；");
    }
    input.value = "";
    search();
    changed();
    if (phrase.critical) form.querySelector<HTMLSelectElement>("[name=critical_code]")?.focus();
  };
  const drop = (code: string): void => {
    const phrase = phrases.find((one) => one.code === code);
    codes.value = chosen().filter((one) => one !== code).join(",");
    if (phrase) conclusion.value = conclusion.value.split("；").filter((part) => part.trim() !== phrase.text).join("；");
    changed();
  };
  const draw = (): void => {
    picked.replaceChildren(
      ...chosen().map((code) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${phrases.find((one) => one.code === code)?.text ?? code} ×`;
        button.addEventListener("click", () => drop(code));
        return button;
      }),
    );
  };
  const search = (): void => {
    const text = input.value.trim().toLowerCase();
    // The key first, then the reader's words, then the English ones.
    const rank = (one: Phrase): number => [one.key === text, one.key.startsWith(text), one.text.toLowerCase().includes(text), one.en.toLowerCase().includes(text), true].indexOf(true);
    found = text ? phrases.filter((one) => rank(one) < 4).sort((left, right) => rank(left) - rank(right)).slice(0, SHOWN) : [];
    at = 0;
    show();
  };
  const show = (): void => {
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    list.replaceChildren(
      ...found.map((phrase, index) => {
        const line = document.createElement("li");
        line.id = `ecg-phrase-${index}`;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", String(index === at));
        line.classList.toggle("is-critical", phrase.critical);
        const key = document.createElement("kbd");
        key.textContent = phrase.key;
        const group = document.createElement("small");
        group.textContent = phrase.group;
        line.append(key, phrase.text, group);
        line.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(phrase);
        });
        return line;
      }),
    );
    if (found.length > 0) input.setAttribute("aria-activedescendant", `ecg-phrase-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };

  input.addEventListener("input", (event) => {
    event.stopPropagation();
    search();
  });
  input.addEventListener("blur", () => {
    found = [];
    show();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = chosen().at(-1);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length);
      show();
    } else if (event.key === "Enter" && !event.ctrlKey) {
      const phrase = found[at];
      if (phrase) take(phrase);
    } else if (event.key === "Escape") {
      input.value = "";
      search();
    } else if (event.key === "Backspace" && input.value === "" && last) drop(last);
    else return;
    event.preventDefault();
  });
  form.querySelector("[data-generate]")?.addEventListener("click", () => {
    generate(form, chosen().map((code) => phrases.find((one) => one.code === code)?.text ?? ""));
    changed();
  });
  draw();
}

function generate(form: HTMLFormElement, texts: string[]): void {
  const area = form.querySelector<HTMLTextAreaElement>("[name=findings_text]");
  if (!area) return;
  const figures = [...form.querySelectorAll<HTMLInputElement>(".ecg-measures input")].filter((input) => input.value.trim());
  const lines = figures.map((input) => {
    const field = input.closest(".ds-field");
    return `${field?.querySelector("label")?.textContent?.trim() ?? ""} ${input.value.trim()} ${field?.querySelector(".input-group-text")?.textContent ?? ""}`.trim();
  });
  area.value = [texts.filter(Boolean).join("，"), lines.join("，")].filter(Boolean).join("；");
}
