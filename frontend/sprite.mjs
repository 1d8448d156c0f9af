// Writes the icon sprite: one <symbol> for each line of frontend/icons.json, which maps our name to Tabler's.
// A name of Tabler's filled set is written "filled/heart"; without a folder the outline set is meant.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const list = join(root, "frontend/icons.json");
const target = join(root, "doorstep/kernel/web/static/built/icons.svg");
const source = join(root, "node_modules/@tabler/icons/icons");

const names = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : {};
const symbols = Object.entries(names).map(([name, icon]) => symbol(name, icon || name));
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);

function symbol(name, icon) {
  const file = join(source, `${icon.includes("/") ? icon : `outline/${icon}`}.svg`);
  if (!existsSync(file)) {
    throw new Error(`frontend/icons.json: Tabler has no icon "${icon}" (for "${name}").`);
  }
  const text = readFileSync(file, "utf8").replace(/<!--[\s\S]*?-->/g, "");
  const shapes = text.slice(text.indexOf(">", text.indexOf("<svg")) + 1, text.lastIndexOf("</svg>"));
  const paint = icon.startsWith("filled/")
    ? 'fill="currentColor"'
    : 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
}
