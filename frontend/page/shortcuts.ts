// Keys: data-shortcut="alt+s" presses or focuses its element; j and k move through a list of work.
const TYPING = "input, textarea, select, [contenteditable]";
// What a key leads to instead of pressing it.
const FOCUSED = `${TYPING}, ecg-viewer`;

export function startShortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const key = named(event);
    const typing = (event.target as Element).matches?.(TYPING) ?? false;
    // A plain key typed into a field is text.
    if (typing && !event.altKey && !event.ctrlKey && !event.metaKey) return;
    const open = document.querySelector("dialog[open]") ?? document;
    const place = [...open.querySelectorAll<HTMLElement>("[data-shortcut]")].find((element) => element.dataset.shortcut?.toLowerCase() === key && visible(element));
    if (place) {
      event.preventDefault();
      if (place.matches(FOCUSED)) place.focus();
      else place.click();
    } else if (key === "j" || key === "k") {
      move(key === "j" ? 1 : -1);
    }
  });
}

function named(event: KeyboardEvent): string {
  // With Alt some layouts send another character: the physical key is meant.
  const letter = event.altKey && /^(Key|Digit)./.test(event.code) ? event.code.replace(/^(Key|Digit)/, "") : event.key;
  const parts = [event.ctrlKey ? "ctrl" : "", event.altKey ? "alt" : "", event.shiftKey && letter.length > 1 ? "shift" : "", letter];
  return parts.filter(Boolean).join("+").toLowerCase();
}

function visible(element: HTMLElement): boolean {
  return element.getClientRects().length > 0 && !element.hasAttribute("disabled");
}

function move(step: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-listing] a")];
  if (links.length === 0) return;
  const focused = links.findIndex((link) => link === document.activeElement);
  const current = focused >= 0 ? focused : links.findIndex((link) => link.getAttribute("aria-current") === "true");
  links[Math.min(links.length - 1, Math.max(0, current + step))]?.focus();
}
